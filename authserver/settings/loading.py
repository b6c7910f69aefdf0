"""All settings of one deployment, and where they are read from."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationError

from .alerts import Alerts
from .audit import Audit
from .clients import Clients
from .fetching import Fetching
from .floods import Floods
from .growth import Growth
from .keys import Keys
from .migrating import Migrating
from .nodes import Nodes
from .notices import Mail, Notices
from .observing import Observing
from .people import People
from .serving import Serving
from .tokens import Tokens
from .tool_calls import ToolCalls
from .upstream import SignInElsewhere


class SettingsError(ValueError):
    """A setting is wrong; the text tells which, and what would be right."""


class Settings(
    Serving,
    Keys,
    Migrating,
    Nodes,
    Tokens,
    People,
    SignInElsewhere,
    Clients,
    Floods,
    Fetching,
    ToolCalls,
    Growth,
    Audit,
    Alerts,
    Notices,
    Mail,
    Observing,
):
    """All settings of one deployment."""

    _in_environment: frozenset[str] = PrivateAttr(frozenset())
    _file: Path | None = PrivateAttr(None)

    def model_post_init(self, context: object) -> None:
        """Remember which of them the environment gave: afterwards nothing tells."""
        prefix = str(self.model_config["env_prefix"]).lower()
        given = (name.lower() for name in os.environ)
        self._in_environment = frozenset(name.removeprefix(prefix) for name in given if name.startswith(prefix))

    @property
    def in_environment(self) -> frozenset[str]:
        """The names of those that the environment gave."""
        return self._in_environment

    @property
    def url_of_migrations(self) -> str:
        """`migration_database_url`, or that of all else."""
        return self.migration_database_url or self.url_of_database

    @property
    def file(self) -> Path | None:
        """The file that was read, if there was one."""
        return self._file


def load() -> Settings:
    """Read the settings of this process. Raises `SettingsError` in words that name the setting."""
    try:
        path = _path()
        settings = Settings(**(_from_file(path) if path else {}))
    except ValidationError as wrong:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in wrong.errors(include_input=False)]
        raise SettingsError("; ".join(lines)) from None
    settings._file = path
    return settings


def _path() -> Path | None:
    """The file to read; None if none is named and there is none."""
    named = os.environ.get("AUTHSERVER_CONFIG")
    path = Path(named) if named else Path(os.environ.get("AUTHSERVER_HOME", "var")) / "authserver.toml"
    return path if named or path.exists() else None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise SettingsError(f"{path}: {wrong}") from None
