"""The token endpoint: the steps that all grants share (OAuth 2.1 §3.2). A grant fills in only step 4."""

import time
from dataclasses import dataclass
from typing import Any

from ..protocol import access_token, scope
from ..protocol.audit import Event, Origin
from ..protocol.client import Client
from ..protocol.errors import InvalidGrant, InvalidScope, OAuthError, UnsupportedGrantType
from ..protocol.form import Form
from ..protocol.grants import Grant, Outcome, TokenRequest
from ..protocol.ports import Resources
from ..protocol.trace.step import Cause
from . import registered
from .call_ceilings import TokenCeilings
from .client_authentication import ClientAuthentication
from .policy.policies import Left, Policies
from .token_formats import TokenFormats
from .tool_details import ToolDetailing
from .traces.exchanges import Exchanges

MOST_TOKEN = 8000  # characters; servers take 8 KiB of a header
TOO_LONG = "so many tools are allowed here that no token can name them: start a new authorization, and ask for fewer"


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Answers token requests. ``lifetime`` of access tokens is in seconds; ``grants`` are keyed by grant type."""

    issuer: str
    who: ClientAuthentication
    resources: Resources
    grants: dict[str, Grant]
    formats: TokenFormats
    tools: ToolDetailing
    policies: Policies
    traces: Exchanges
    ceilings: TokenCeilings
    lifetime: int

    def answer(self, form: Form, authorization: str | None, origin: Origin) -> dict[str, Any]:
        """The token response (OAuth 2.1 §3.2.3). Raises an `OAuthError` when the request is refused."""
        client = None
        try:
            # 1. Who asks
            client = self.who.caller(form, authorization)
            return self._answer(client, form, origin)
        except OAuthError as refused:
            self.ceilings.refused(client, refused, origin)
            self.traces.refused(form, authorization, refused, origin)
            raise

    def _answer(self, client: Client, form: Form, origin: Origin) -> dict[str, Any]:
        self.ceilings.admit(client, form, origin)
        # 2. By which grant
        grant = self._grant(form.need("grant_type"))
        # 3. For what
        resource = registered.find(form.resources, self.resources).identifier if form.resources else None
        asked = tuple(name for name in scope.parse(form.get("scope")) if name != scope.OFFLINE_ACCESS)
        event = Event("token.requested", f"client:{client.client_id}", origin, client_id=client.client_id)
        request = TokenRequest(client, form, resource, asked, event)
        # 4. Nothing is used up for a server that is suspended: its grants stay
        if resource is None and self.resources.suspended() and (meant := grant.meant(request)):
            registered.check(meant, self.resources)
        # 5. Act: what is used up, created and audited is one transaction
        outcome = grant.act(request)
        # 6. What policy leaves of it, at a server that is still there
        registered.check(outcome.authority.resource, self.resources)
        left = self.policies.left(outcome.authority, client, origin)
        # 7. Sign and answer
        found = self._response(outcome, left, asked if "refresh_token" in form.single else (), client.created_at)
        if left.rules:
            self.traces.narrowed(form, outcome.authority, left.rules, origin)
        self.ceilings.given(outcome.authority, form)
        self.traces.issued(form, outcome.authority, origin)
        return found

    def _grant(self, grant_type: str) -> Grant:
        try:
            return self.grants[grant_type]
        except KeyError:
            offered = ", ".join(self.grants)
            raise UnsupportedGrantType(f"grant_type must be one of: {offered}") from None

    def _response(self, outcome: Outcome, left: Left, narrowed_to: tuple[str, ...], not_before: int) -> dict[str, Any]:
        scopes = tuple(name for name in left.scopes if name in narrowed_to) if narrowed_to else left.scopes
        if not scopes:
            raise InvalidScope("nothing is left of what was granted; start a new authorization")
        now = max(int(time.time()), not_before)  # no token is older than its client, which another node has dated
        tools = self.tools.of(outcome.authority, scopes, now, left.closed)
        ends = (outcome.authority.ends_at, tools.ends if tools else None)
        lifetime = min([self.lifetime, *(moment - now for moment in ends if moment is not None)])
        if lifetime <= 0:
            raise InvalidGrant("what the person allowed has just ended")
        claims = access_token.claims(
            outcome.authority, issuer=self.issuer, scopes=scopes, issued_at=now, lifetime=lifetime
        )
        if tools is not None:
            claims["authorization_details"] = tools.details
        token = self.formats.write(claims, outcome.authority.position)
        if len(token) > MOST_TOKEN:
            raise InvalidGrant(TOO_LONG, private=f"a token of {len(token)} characters", cause=Cause.TOKEN_TOO_LARGE)
        found = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": " ".join(scopes),
        }
        if tools is not None:
            found["authorization_details"] = tools.details  # RFC 9396 §7
        if outcome.refresh_token is not None:
            found["refresh_token"] = outcome.refresh_token
        return found
