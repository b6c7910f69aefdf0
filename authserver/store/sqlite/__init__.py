"""The same verbs in steps: SQLite has one writer at a time, and ``BEGIN IMMEDIATE`` makes it this one."""

from .end_family import end_family, end_family_of
from .issue import issue
from .redeem import redeem
from .register import register
from .rotate import rotate

__all__ = ["end_family", "end_family_of", "issue", "redeem", "register", "rotate"]
