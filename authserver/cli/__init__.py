"""The command line: ``authserver …``. Each command composes what it needs and says what it did in plain words."""

from .main import main

__all__ = ["main"]
