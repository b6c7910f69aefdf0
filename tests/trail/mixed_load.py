"""People, clients and an administrator who do all at once whatever changes something, while nodes die under them."""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2

from authserver.protocol import credential
from tests.conformance.site import NOTES, PASSWORD
from tests.conformance.visitor import HtmlForm, forms

REDIRECT_URI = "http://127.0.0.1:5000/callback"
REFRESHES = 2
PATIENCE = 20  # seconds for one answer
REDIRECTS = {301, 302, 303, 307}


class NotNow(Exception):
    """The node is gone, or has no slot left: to be tried again."""


class Refused(NotNow):
    """The node has answered, and would not."""


@dataclass
class Answered:
    """What was answered, and must therefore be in the database and in the trail."""

    clients: list[str] = field(default_factory=list)
    refresh_tokens: list[bytes] = field(default_factory=list)
    revoked: list[bytes] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    rules: int = 0
    rotations: int = 0

    @property
    def count(self) -> int:
        """How much there is of all."""
        return len(self.clients) + len(self.refresh_tokens) + len(self.revoked) + len(self.suspended)


class Browser:
    """Somebody at the node at *issuer*, with cookies."""

    def __init__(self, issuer: str, username: str) -> None:
        self.issuer = issuer
        self.username = username
        self.http = httpx2.Client(timeout=PATIENCE)

    def open(self, url: str) -> Any:
        """Go to *url* and follow redirects within the node, signing in where asked."""
        page = self._follow(self.http.get(urljoin(self.issuer, url)))
        login = next((form for form in forms(page) if "password" in form.names()), None)
        return page if login is None else self.submit(page, login, username=self.username, password=PASSWORD)

    def submit(self, page: Any, form: HtmlForm, **filled: Any) -> Any:
        """Send *form* of *page* with *filled* in place of its own values."""
        sent: dict[str, Any] = {}
        for name, value in form.fields:
            if name not in filled:
                sent.setdefault(name, []).append(value)
        headers = {"Referer": str(page.url), "Origin": self.issuer}
        target = urljoin(str(page.url), form.action or str(page.url))
        return self._follow(self.http.post(target, data={**sent, **filled}, headers=headers))

    def _follow(self, answer: Any) -> Any:
        while answer.status_code in REDIRECTS and self._is_here(answer.headers["Location"]):
            answer = self.http.get(urljoin(self.issuer, answer.headers["Location"]))
        if answer.status_code >= 500 or answer.status_code == 429:
            raise NotNow(answer.text)
        return answer

    def _is_here(self, location: str) -> bool:
        return location.startswith(("/", f"{self.issuer}/"))


def connect(browser: Browser, answered: Answered) -> None:
    """A client's whole life: registration, sign-in, consent, code, refreshes, and for one of two its end."""
    asked = {"client_name": "Editor", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    asked |= {"grant_types": ["authorization_code", "refresh_token"]}
    client_id = _json(browser, "/register", 201, json=asked)["client_id"]
    answered.clients.append(client_id)
    verifier = secrets.token_urlsafe(48)
    form = {"code": obtain_code(browser, client_id, verifier), "code_verifier": verifier, "redirect_uri": REDIRECT_URI}
    token = _token(browser, answered, client_id, grant_type="authorization_code", **form)
    for _ in range(REFRESHES):
        token = _token(browser, answered, client_id, grant_type="refresh_token", refresh_token=token)
    if secrets.randbelow(2):
        _json(browser, "/revoke", 200, data={"token": token, "client_id": client_id})
        answered.revoked.append(credential.digest(token))


def administer(browser: Browser, answered: Answered) -> None:
    """Suspend the client that was answered last, and revoke all that people gave another."""
    if len(answered.clients) < 2:
        return
    suspended, revoked = answered.clients[-1], secrets.choice(answered.clients)
    page = browser.open(f"/admin/client/suspend?{urlencode({'id': suspended})}")
    if _press(browser, page, "suspend", suspend="yes"):
        answered.suspended.append(suspended)
    page = browser.open(f"/admin/grants/revoke?{urlencode({'client': revoked})}")
    _press(browser, page, "grants/revoke")


def govern(browser: Browser, answered: Answered) -> None:
    """Put somebody into one more group, let other rules count that change nothing, and let the standby keys sign."""
    person = browser.open("/admin/people?q=ada")
    (link,) = set(re.findall(r'href="(/admin/person\?id=[^"]+)"', person.text))
    page, name = browser.open(link.replace("/person?", "/person/groups?")), secrets.token_hex(4)
    seen = next(value for form in forms(page) for field_, value in form.fields if field_ == "seen")
    if _press(browser, page, "person/groups", groups=f"{seen}\n{name}"):
        answered.groups.append(name)
    page = browser.open("/admin/policies/edit")
    version = re.search(r"version: (\d+)", page.text)
    if version is not None:
        rules = f"version: {version[1]}\nrules: [{{name: {name}, effect: allow}}]"
        answered.rules += _press(browser, page, "policies/edit", rules=rules, act="apply")
    answered.rotations += _press(browser, browser.open("/admin/keys/rotate"), "keys/rotate")


def keep_on(
    act: Callable[[Browser, Answered], None], browser: Browser, answered: Answered, stop: threading.Event
) -> None:
    """Do it again and again; what the end of a process interrupts is begun anew."""
    while not stop.is_set():
        try:
            act(browser, answered)
        except (NotNow, httpx2.TransportError):
            stop.wait(0.02)


def obtain_code(browser: Browser, client_id: str, verifier: str) -> str:
    """The code that the browser's person gives a client, for a challenge made of *verifier*."""
    challenge = credential.base64url(hashlib.sha256(verifier.encode()).digest())
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "resource": NOTES.identifier,
        "scope": "notes:read",
    }
    page = browser.open(f"/authorize?{urlencode(request)}")
    consent = next((form for form in forms(page) if "decision" in form.names()), None)
    if consent is None:
        raise Refused(page.text)  # an administrator was faster
    scopes = [value for name, value in consent.boxes if name == "scope"]
    answer = browser.submit(page, consent, decision="allow", scope=scopes)
    found = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    if "code" not in found:
        raise Refused(answer.headers.get("Location", answer.text))
    return found["code"][0]


def _token(browser: Browser, answered: Answered, client_id: str, **form: str) -> str:
    found = _json(browser, "/token", 200, data={**form, "client_id": client_id, "resource": NOTES.identifier})
    token = str(found["refresh_token"])
    answered.refresh_tokens.append(credential.digest(token))
    return token


def _json(browser: Browser, path: str, status: int, **sent: Any) -> dict[str, Any]:
    answer = browser.http.post(f"{browser.issuer}{path}", **sent)
    if answer.status_code != status:  # suspended or revoked meanwhile, or the node goes down
        raise NotNow(answer.text)
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def _press(browser: Browser, page: Any, action: str, **filled: str) -> bool:
    form = next(
        (each for each in forms(page) if each.method == "post" and action in (each.action or str(page.url))), None
    )
    return form is not None and browser.submit(page, form, **filled).status_code == 200
