"""OpenID Connect: the code flow with PKCE and nonce (OpenID Connect Core 1.0 §3.1, RFC 9700 §2.1)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ...protocol.upstream import attempt as attempts
from ...protocol.upstream import id_token, identity
from ...protocol.upstream.attempt import Answer, Attempt
from ...protocol.upstream.flaw import Unbelievable
from ...protocol.upstream.id_token import Expected, IdToken
from ...protocol.upstream.provider import Provider
from ...settings.upstream import Upstream
from .call import Calls, basic
from .errors import Down, NotBelieved
from .provider import Published
from .way import Asked, Proven

SCOPES = ("openid", "email", "profile")
LONGEST_AGE = 10**9  # seconds: whatever is said, the database can hold it


@dataclass(frozen=True, slots=True)
class OpenIdConnect:
    """The `Way` of OpenID providers. Whoever proved there more than ``max_age`` seconds ago who they are, does anew."""

    published: Published
    calls: Calls
    max_age: int
    clock: Callable[[], float] = time.time

    def address(self, upstream: Upstream, attempt: Attempt, asked: Asked) -> str:
        """Its authorization endpoint, with a request for a code (OpenID Connect Core 1.0 §3.1.2.1)."""
        # With a max_age it says when they proved that (§3.1.2.1): to act as if it was now would be to make it fresh.
        anew = {"prompt": "login", "max_age": "0"} if asked.anew else {"max_age": str(self.max_age)}
        return attempt.request(
            self.published.provider(upstream.home).authorization_endpoint,
            upstream.client_id,
            asked.redirect_uri,
            " ".join(dict.fromkeys((*SCOPES, *upstream.scopes))),
            nonce=attempt.nonce,
            login_hint=asked.hint or None,
            ui_locales=asked.languages or None,
            **anew,
        )

    def proven(
        self, upstream: Upstream, attempt: Attempt, answer: Answer, redirect_uri: str, since: int | None
    ) -> Proven:
        """Redeem the code, and believe the ID token if everything about it is right."""
        found = self.published.provider(upstream.home)
        expected = Expected(found.issuer, upstream.client_id, attempt.nonce, since)
        try:
            answered = self._redeemed(found, upstream, attempt, answer, redirect_uri)
            token = id_token.parse(answered.get("id_token"))
            self._verify(found, token)
            now = int(self.clock())
            id_token.check(token, expected, answered["access_token"], now)
            claims = self._claims(found, upstream, token, answered["access_token"])
            who = identity.read(found.issuer, claims, upstream.groups_claim, assume_verified=upstream.assume_verified)
        except Unbelievable as wrong:
            raise NotBelieved(f"{upstream.id}: {wrong}") from None
        return Proven(who, claims, min(max(0, now - int(token.claims.get("auth_time") or now)), LONGEST_AGE))

    def check_response(self, upstream: Upstream, answer: Answer) -> None:
        """That the response is from this provider, before anything of it is used. Raises `NotBelieved`."""
        found = self.published.provider(upstream.home)
        try:
            attempts.check_issuer(answer, found.issuer, names_itself=found.names_itself)
        except Unbelievable as wrong:
            raise NotBelieved(f"{upstream.id}: {wrong}") from None

    def leave(self, upstream: Upstream, onwards: str) -> str | None:
        """RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2), without a hint: no ID token is kept."""
        try:
            endpoint = self.published.provider(upstream.home).end_session_endpoint
        except Down:
            return None
        asked = urlencode({"client_id": upstream.client_id, "post_logout_redirect_uri": onwards})
        return endpoint and f"{endpoint}{'&' if '?' in endpoint else '?'}{asked}"

    def _redeemed(
        self, found: Provider, upstream: Upstream, attempt: Attempt, answer: Answer, redirect_uri: str
    ) -> dict[str, Any]:
        """RFC 6749 §4.1.3, with what proves the client."""
        form = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers: dict[str, str] = {}
        if upstream.secret and found.takes_basic:
            headers = basic(upstream.client_id, upstream.secret)
        else:
            form |= {"client_id": upstream.client_id} | ({"client_secret": upstream.secret} if upstream.secret else {})
        return self.calls.token(found.token_endpoint, form, headers)

    def _verify(self, found: Provider, token: IdToken) -> None:
        """A key that is not known may have come with a rotation: then the set is fetched again, once."""
        if token.verified_by(self.published.keys(found)) or token.verified_by(self.published.newer_keys(found)):
            return
        raise Unbelievable("the ID token is not signed by a key of the provider")

    def _claims(self, found: Provider, upstream: Upstream, token: IdToken, access_token: str) -> dict[str, Any]:
        """The token's claims, and those that are wanted besides (OpenID Connect Core 1.0 §5.3.2)."""
        wanted = {"email", *upstream.claims, *([upstream.groups_claim] if upstream.roles else [])}
        if found.userinfo_endpoint is None or wanted <= token.claims.keys():
            return token.claims
        told = self.calls.resource(found.userinfo_endpoint, access_token)
        if not isinstance(told, Mapping) or told.get("sub") != token.claims.get("sub"):
            raise Unbelievable("the user info is somebody else's")
        return {**told, **token.claims}
