"""One client's way from registration to refresh, by what it sends."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from werkzeug.test import TestResponse

from .signer import Signer
from .site import NOTES, Site
from .visitor import Visitor

Request = Mapping[str, str | None]

LOOPBACK = "http://127.0.0.1:5000/callback"
PUBLIC = {
    "client_name": "A client",
    "redirect_uris": [LOOPBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}


@dataclass
class Flow:
    """What one client knows. ``values`` fill the ``${…}`` of its requests and token ``headers``."""

    site: Site
    values: dict[str, str] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    signer: Signer | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(NOTES.identifier)
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        self.values |= {
            "resource": NOTES.identifier,
            "resource_origin": f"{parts.scheme}://{parts.netloc}",
            "state": secrets.token_urlsafe(16),
            "code_verifier": verifier,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        }

    def register(self, body: dict[str, Any] | None = None) -> TestResponse:
        """Register with *body*, a public client on loopback if left out."""
        answer = self.site.post("/register", json=PUBLIC if body is None else body)
        if answer.status_code == 201:
            self.client = answer.json
            self.values["client_id"] = self.client["client_id"]
            self.values["client_secret"] = self.client.get("client_secret", "")
            pair = f"{self.values['client_id']}:{self.values['client_secret']}"
            self.values["basic"] = base64.b64encode(pair.encode()).decode()
        return answer

    def url(self, request: Request | None = None, /, **changes: str | None) -> str:
        """The authorization request as a URL; a change to None leaves a parameter out."""
        return "/authorize?" + urlencode(self.fill({**(request or AUTHORIZE), **changes}))

    def allow(self, visitor: Visitor, /, **changes: str | None) -> dict[str, str]:
        """Have *visitor* allow it; returns what came back to the redirect URI."""
        return self.answer(visitor.decide(self.url(**changes)))

    def answer(self, answer: TestResponse) -> dict[str, str]:
        """The parameters of a redirect to the client."""
        assert answer.status_code in {302, 303}, answer.text
        found = dict(parse_qsl(urlsplit(answer.location).query, strict_parsing=True))
        if "code" in found:
            self.values["code"] = found["code"]
        return found

    def token(self, request: Request | None = None, /, **changes: str | None) -> TestResponse:
        """Redeem the code."""
        return self._ask({**(request or TOKEN), **changes})

    def refresh(self, request: Request | None = None, /, **changes: str | None) -> TestResponse:
        """Use the refresh token."""
        return self._ask({**(request or REFRESH), **changes})

    def tokens(self, visitor: Visitor, /, **changes: str | None) -> dict[str, Any]:
        """Register if need be, have *visitor* allow it, and return the token response."""
        if not self.client:
            self.register()
        self.allow(visitor, **changes)
        found: dict[str, Any] = self.token().json
        return found

    def fill(self, request: Request) -> dict[str, str]:
        """*request* with its placeholders filled in."""
        return {name: Template(text).substitute(self.values) for name, text in request.items() if text is not None}

    def _ask(self, request: Request) -> TestResponse:
        if self.signer:
            self.values["client_assertion"] = self.signer.assertion(self.values["client_id"])
        answer = self.site.post("/token", data=self.fill(request), headers=self.fill(self.headers))
        if answer.status_code == 200 and "refresh_token" in answer.json:
            self.values["refresh_token"] = answer.json["refresh_token"]
        return answer


AUTHORIZE: Request = {
    "response_type": "code",
    "client_id": "${client_id}",
    "redirect_uri": LOOPBACK,
    "state": "${state}",
    "code_challenge": "${code_challenge}",
    "code_challenge_method": "S256",
    "resource": "${resource}",
    "scope": "notes:read",
}
TOKEN: Request = {
    "grant_type": "authorization_code",
    "code": "${code}",
    "redirect_uri": LOOPBACK,
    "client_id": "${client_id}",
    "code_verifier": "${code_verifier}",
    "resource": "${resource}",
}
REFRESH: Request = {
    "grant_type": "refresh_token",
    "refresh_token": "${refresh_token}",
    "client_id": "${client_id}",
    "resource": "${resource}",
}
