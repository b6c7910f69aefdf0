"""How long codes, tokens and keys live."""

from typing import Annotated, Literal

from pydantic import Field

from .group import DAY, Group, Seconds


class Tokens(Group):
    """Codes, tokens and the keys that sign them."""

    access_token_lifetime: Annotated[int, Field(ge=30, le=86_400)] = 600
    """Seconds that an access token lives."""

    access_token_algorithm: Literal["ES256", "RS256", "EdDSA"] = "ES256"  # noqa: S105 - an algorithm
    """Signature of access tokens. ES256 is the fastest here and known to every library."""

    authorization_code_lifetime: Annotated[int, Field(ge=5, le=60)] = 60
    """Seconds in which a code must be redeemed."""

    refresh_token_lifetime: Seconds = 30 * DAY
    """Seconds after which an unused refresh token ends (sliding)."""

    refresh_family_lifetime: Seconds = 180 * DAY
    """Seconds after which a person must authorize again, however often the client refreshed (absolute)."""

    refresh_retry_window: Annotated[int, Field(ge=0, le=300)] = 30
    """Seconds in which a rotated refresh token may be presented again after a lost answer; 0 allows none."""

    next_key_lead: Seconds = 600
    """Seconds between the publication of a signing key and its first use, for caches of the JWKS to fill."""
