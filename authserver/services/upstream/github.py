"""GitHub, and GitHub Enterprise Server: OAuth 2 with an API that says who somebody is.

There is no ID token: who they are is what the API says to the token that came for the code, which PKCE and the client's
secret tie to this attempt (RFC 9700 §2.1.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...protocol.upstream import identity
from ...protocol.upstream.attempt import Answer, Attempt
from ...protocol.upstream.flaw import Unbelievable
from ...settings.upstream import GITHUB, Upstream
from .call import Calls
from .errors import NotBelieved
from .way import Asked, Proven

SCOPES = ("read:user", "user:email")
API = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class GitHub:
    """The `Way` of GitHub. Groups are organisations: ``read:org`` among the scopes shows private memberships too."""

    calls: Calls

    def address(self, upstream: Upstream, attempt: Attempt, asked: Asked) -> str:
        """Its authorization endpoint, with a request for a code."""
        scope = " ".join(dict.fromkeys((*SCOPES, *upstream.scopes)))
        anew = {"prompt": "select_account"} if asked.anew else {}
        endpoint = f"{upstream.home}/login/oauth/authorize"
        return attempt.request(
            endpoint, upstream.client_id, asked.redirect_uri, scope, login=asked.hint or None, **anew
        )

    def proven(
        self, upstream: Upstream, attempt: Attempt, answer: Answer, redirect_uri: str, since: int | None
    ) -> Proven:
        """Redeem the code, and ask the API who it is. It never says when they proved that."""
        if since is not None:
            raise NotBelieved(f"{upstream.id}: GitHub does not say when somebody proved who they are")
        form = {
            "client_id": upstream.client_id,
            "client_secret": upstream.secret,
            "code": answer.code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        token = self.calls.token(f"{upstream.home}/login/oauth/access_token", form, {})["access_token"]
        claims = self._claims(upstream, token)
        try:
            return Proven(identity.read(upstream.home, claims, "groups"), claims)
        except Unbelievable as wrong:
            raise NotBelieved(f"{upstream.id}: {wrong}") from None

    def check_response(self, upstream: Upstream, answer: Answer) -> None:
        """GitHub does not say that a response is from it; if it says anything, then that. Raises `NotBelieved`."""
        if answer.iss not in {None, upstream.home, f"{upstream.home}/login/oauth"}:
            raise NotBelieved(f"{upstream.id}: the response is from another issuer")

    def leave(self, upstream: Upstream, onwards: str) -> str | None:
        """GitHub signs nobody out for others."""
        return None

    def _claims(self, upstream: Upstream, token: str) -> dict[str, Any]:
        """What the API says, by the names that OpenID Connect has for it."""
        api = API if upstream.home == GITHUB else f"{upstream.home}/api/v3"
        person = self.calls.resource(f"{api}/user", token)
        number = person.get("id") if isinstance(person, Mapping) else None
        if isinstance(number, bool) or not isinstance(number, int):
            raise NotBelieved(f"{upstream.id}: the API does not say who it is")
        claims = {"sub": str(number), "preferred_username": person.get("login"), "name": person.get("name")}
        claims |= self._address(api, token)
        if upstream.roles or "groups" in upstream.claims:
            claims["groups"] = self._organisations(api, token)
        return claims

    def _address(self, api: str, token: str) -> dict[str, Any]:
        listed = self.calls.resource(f"{api}/user/emails", token)
        for each in listed if isinstance(listed, list) else []:
            if isinstance(each, Mapping) and each.get("primary") is True:
                return {"email": each.get("email"), "email_verified": each.get("verified")}
        return {}

    def _organisations(self, api: str, token: str) -> list[object]:
        listed = self.calls.resource(f"{api}/user/orgs?per_page=100", token)
        return [each.get("login") for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
