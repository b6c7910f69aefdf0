"""Token introspection (RFC 7662, TK-9): for authenticated callers, about tokens that are meant for them."""

import time
from dataclasses import dataclass
from typing import Any

from ..protocol import credential, own_api
from ..protocol.access_token import Authority, ClientAuthority, TokenId
from ..protocol.client import Client
from ..protocol.client_authentication import failed
from ..protocol.form import Form
from ..protocol.ports import RefreshTokens, Resources
from ..protocol.resource import identified
from ..protocol.scope import within
from ..store.access_tokens import AccessTokenStore
from .ceilings import ClientLimit
from .client_authentication import ClientAuthentication
from .token_formats import TokenFormats
from .tool_details import ToolDetailing

INACTIVE: dict[str, Any] = {"active": False}


@dataclass(frozen=True, slots=True)
class Introspection:
    """Tells a resource server about tokens for its resource, and a confidential client about its own."""

    issuer: str
    who: ClientAuthentication
    refresh_tokens: RefreshTokens
    access_tokens: AccessTokenStore
    resources: Resources
    formats: TokenFormats
    tools: ToolDetailing
    limit: ClientLimit

    def introspect(self, form: Form, authorization: str | None) -> dict[str, Any]:
        """The introspection response; ``{"active": False}`` and nothing else for whatever the caller may not know.

        Raises `InvalidClient` for a caller without a credential: anyone could claim a public client's id; and
        `SlowDown`.
        """
        caller = self.who.caller(form, authorization)
        if caller.is_public:
            raise failed("a public client asks")
        self.limit.count(caller.client_id)
        token = form.need("token")
        if token.startswith(credential.Prefix.REFRESH):
            return self._refresh_token(token, caller)
        return self._access_token(token, caller)

    def _access_token(self, token: str, caller: Client) -> dict[str, Any]:
        claims = self.formats.read(token)
        if claims is None or not (caller.guards == claims["aud"] or caller.client_id == claims["client_id"]):
            return INACTIVE
        token_id = TokenId.parse(claims["jti"])
        authority = self._authority(token_id, claims) if token_id else None
        scopes = tuple(name for name in claims["scope"].split() if authority and name in authority.scopes)
        if authority is None or not scopes:
            return INACTIVE
        return {
            "active": True,
            **self._now(claims, authority, scopes),
            "scope": " ".join(scopes),
            "token_type": "Bearer",
        }

    def machine(self, token: str) -> ClientAuthority | None:
        """What a client's token for itself opens of this server's own API now; None for any other token."""
        claims = self.formats.read(token)
        if claims is None or claims["aud"] != own_api.identifier(self.issuer):
            return None
        token_id = TokenId.parse(claims["jti"])
        authority = self._authority(token_id, claims) if token_id and token_id.stands_on_client else None
        return authority if isinstance(authority, ClientAuthority) and authority.scopes else None

    def _now(
        self, claims: dict[str, Any], authority: Authority | ClientAuthority, scopes: tuple[str, ...]
    ) -> dict[str, Any]:
        """*claims* with what still holds of the details that the token was issued with."""
        said = claims.get("authorization_details")
        if said is None:
            return claims
        return {**claims, "authorization_details": self.tools.still(said, authority, scopes, int(time.time()))}

    def _authority(self, token_id: TokenId, claims: dict[str, Any]) -> Authority | ClientAuthority | None:
        """What the token stands on, with the scopes that its person, or an administrator, has left it."""
        if not token_id.stands_on_client:
            return self.access_tokens.authority(token_id)
        client_id, resource = claims["client_id"], claims["aud"]
        ceiling = self.access_tokens.ceiling(token_id, client_id, resource, claims["iat"])
        found = identified(self.resources.all(), resource)
        known, own = found.scopes if found else (), resource == own_api.identifier(self.issuer)
        return ClientAuthority(client_id, resource, within(ceiling, tuple(claims["scope"].split()), known, own=own))

    def _refresh_token(self, token: str, caller: Client) -> dict[str, Any]:
        state = self.refresh_tokens.state(credential.digest(token))
        if (
            state is None
            or state.client_id != caller.client_id
            or not state.alive
            or state.expired
            or state.age is not None
        ):
            return INACTIVE
        authority = state.authority
        return {
            "active": True,
            "iss": self.issuer,
            "aud": authority.resource,
            "sub": authority.subject,
            "client_id": authority.client_id,
            "scope": " ".join(authority.scopes),
        }
