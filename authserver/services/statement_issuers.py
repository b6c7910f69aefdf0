"""The issuers of software statements that the settings trust, with their keys; nothing is fetched."""

import json
from pathlib import Path
from typing import Any

from ..protocol import jwk
from ..protocol.errors import InvalidClientMetadata
from ..protocol.registration.software_statement import StatementIssuers
from ..settings import Settings, SettingsError


def trusted(settings: Settings) -> StatementIssuers:
    """Read them. Raises `SettingsError` in words that name the issuer."""
    found = {}
    for issuer, keys in settings.software_statement_issuers.items():
        try:
            usable = jwk.public_set(_by_value(keys))
        except (OSError, ValueError, InvalidClientMetadata) as wrong:
            reason = getattr(wrong, "description", "") or wrong
            raise SettingsError(f"software_statement_issuers: {issuer}: {reason}") from None
        found[issuer] = tuple(filter(None, map(jwk.read, usable["keys"])))
    return StatementIssuers(settings.issuer, found)


def _by_value(keys: str | dict[str, Any]) -> object:
    return json.loads(Path(keys).read_text("utf-8")) if isinstance(keys, str) else keys
