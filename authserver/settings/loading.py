"""All settings of one deployment, and where they are read from."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .alerts import Alerts
from .audit import Audit
from .clients import Clients
from .fetching import Fetching
from .notices import Notices
from .people import People
from .serving import Serving
from .tokens import Tokens
from .tool_calls import ToolCalls


class SettingsError(ValueError):
    """A setting is wrong; the text tells which, and what would be right."""


class Settings(Serving, Tokens, People, Clients, Fetching, ToolCalls, Audit, Alerts, Notices):
    """All settings of one deployment."""


def load() -> Settings:
    """Read the settings of this process. Raises `SettingsError` in words that name the setting."""
    try:
        return Settings(**_from_file())
    except ValidationError as wrong:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in wrong.errors(include_input=False)]
        raise SettingsError("; ".join(lines)) from None


def _from_file() -> dict[str, Any]:
    named = os.environ.get("AUTHSERVER_CONFIG")
    path = Path(named) if named else Path(os.environ.get("AUTHSERVER_HOME", "var")) / "authserver.toml"
    if not named and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise SettingsError(f"{path}: {wrong}") from None
