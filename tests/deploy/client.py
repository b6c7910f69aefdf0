"""A client and its person without a browser: the whole dance in plain HTTP, against nodes or the proxy before them."""

import hashlib
import secrets
import ssl
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

from authserver.protocol import credential
from tests.conformance.visitor import HtmlForm, forms

from .site import RESOURCE, USERNAME

REDIRECT_URI = "http://127.0.0.1:33418/callback"
Tokens = dict[str, Any]


class Client:
    """A registered client at *base*, where *issuer* is served; ``tokens`` are what it has."""

    def __init__(self, base: str, issuer: str, trust: ssl.SSLContext | bool = True) -> None:
        """*base* is the issuer, or one of its nodes."""
        self.http = httpx2.Client(base_url=base, verify=trust, timeout=30, headers={"Origin": issuer})
        self.issuer = issuer
        wanted = {"client_name": "Notes", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
        granted = {"grant_types": ["authorization_code", "refresh_token"]}
        registered = self.http.post("/register", json={**wanted, **granted})
        assert registered.status_code == 201, registered.text
        self.client_id = str(registered.json()["client_id"])
        self.tokens: Tokens = {}

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def at(self, base: str) -> None:
        """Go on at another node."""
        self.http.base_url = httpx2.URL(base)

    def connect(self, password: str) -> None:
        """Ask for access, sign in, allow, and redeem the code."""
        verifier = secrets.token_urlsafe(32)
        code = self._allowed(password, credential.base64url(hashlib.sha256(verifier.encode()).digest()))
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        self.tokens = self._token({**form, "redirect_uri": REDIRECT_URI, "resource": RESOURCE})

    def refresh(self) -> None:
        """Get the next tokens."""
        self.tokens = self._token({"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]})

    def revoke(self) -> None:
        """Give the tokens back."""
        form = {"token": self.tokens["refresh_token"], "client_id": self.client_id}
        assert self.http.post("/revoke", data=form).status_code == 200

    def refusal(self) -> str:
        """The error that a refresh brings now."""
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        return str(self.http.post("/token", data={**form, "client_id": self.client_id}).json()["error"])

    def _token(self, form: dict[str, str]) -> Tokens:
        answer = self.http.post("/token", data={**form, "client_id": self.client_id})
        assert answer.status_code == 200, answer.text
        found: Tokens = answer.json()
        return found

    def _allowed(self, password: str, challenge: str) -> str:
        query = {"response_type": "code", "client_id": self.client_id, "redirect_uri": REDIRECT_URI}
        proof = {"code_challenge": challenge, "code_challenge_method": "S256", "state": "s", "resource": RESOURCE}
        page = self._followed(self.http.get("/authorize", params={**query, **proof, "scope": "notes:read"}))
        while page.status_code == 200:
            page = self._followed(self._submitted(page, password))
        assert page.headers.get("location", "").startswith(REDIRECT_URI), page.text
        return parse_qs(urlsplit(page.headers["location"]).query)["code"][0]

    def _submitted(self, page: httpx2.Response, password: str) -> httpx2.Response:
        """What comes after the page's form: signing in, or allowing."""
        form = next(each for each in forms(page) if {"password", "decision"} & each.names())
        filled = dict(form.fields)
        if "password" in form.names():
            filled |= {"username": USERNAME, "password": password}
        else:
            filled |= {**dict(_ticked(form)), "decision": "allow"}
        target = urljoin(str(page.url), form.action or str(page.url))
        return self.http.post(target, data=filled, headers={"Referer": str(page.url).replace(self._base, self.issuer)})

    def _followed(self, answer: httpx2.Response) -> httpx2.Response:
        while answer.is_redirect and not answer.headers["location"].startswith(REDIRECT_URI):
            place = answer.headers["location"].removeprefix(self.issuer)
            answer = self.http.get(place)
        return answer

    @property
    def _base(self) -> str:
        return str(self.http.base_url).rstrip("/")


def _ticked(form: HtmlForm) -> list[tuple[str, str]]:
    return [pair for pair in form.checked if pair[0] == "scope"]
