"""The load: clients that connect, refresh, race and revoke, a client without a person, and administrators."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx2

from authserver.protocol import credential
from tests.conformance.site import NOTES
from tests.trail.mixed_load import (
    REDIRECT_URI,
    Answered,
    Browser,
    NotNow,
    administer,
    connect,
    govern,
    obtain_code,
)

from .answers import Answers, Balancer

REFRESHES = 3
PAUSE = 0.05  # between two rounds of one of them: the faults are the trial, not the rate
INSISTENCE = 60.0  # seconds for which a client repeats a refresh whose answer it did not get; its window is longer
PATIENCE = 60.0  # seconds for one answer


@dataclass(frozen=True)
class Credentials:
    """Of a client with a secret."""

    client_id: str
    client_secret: str

    def form(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}


@dataclass(frozen=True)
class Kept:
    """A client's last tokens."""

    client_id: str
    access_token: str
    refresh_token: str

    def refresh(self) -> dict[str, str]:
        """The form that refreshes them."""
        return {"grant_type": "refresh_token", "refresh_token": self.refresh_token, "client_id": self.client_id}


@dataclass
class Ledger:
    """What was answered. ``wrong`` is what should not have been, in words."""

    mixed: Answered = field(default_factory=Answered)
    issued: int = 0
    refresh_tokens: list[bytes] = field(default_factory=list)
    live: list[Kept] = field(default_factory=list)
    revoked: list[Kept] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Load:
    """All of it, over nodes at *ports*; ``guard`` may introspect, ``machine`` gets tokens for itself."""

    issuer: str
    ports: Sequence[int]
    guard: Credentials
    machine: Credentials
    answers: Answers = field(default_factory=Answers)
    ledger: Ledger = field(default_factory=Ledger)
    races: bool = True
    """Whether two processes ask for the same at once now and then."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everybody at once, for as long as the block runs; afterwards nothing is under way."""
        stop = threading.Event()
        mixed = ((act, user) for act, user in ((connect, "ada"), (administer, "root"), (govern, "root")))
        acts: list[Callable[[], None]] = [self._mixed(act, self._browser(user)) for act, user in mixed]
        acts += [self._living(self._browser("ada")), self._living(self._browser("ada")), self._issuing()]
        crowd = [threading.Thread(target=self._keep_on, args=(act, stop)) for act in acts]
        for one in crowd:
            one.start()
        try:
            yield
        finally:
            stop.set()
            for one in crowd:
                one.join(INSISTENCE + PATIENCE)

    def post(self, path: str, form: dict[str, str]) -> Any:
        """A client's request to whichever node."""
        return self._http.post(f"{self.issuer}{path}", data=form)

    def is_active(self, token: str) -> bool:
        """Whether the resource server is told that the token is good. Raises `NotNow`."""
        return bool(self._answered("/introspect", {"token": token, **self.guard.form()})["active"])

    def refreshed(self, kept: Kept) -> Kept | None:
        """What the client gets, asking again while no answer comes; None once it is refused. Raises `NotNow`."""
        deadline = time.monotonic() + INSISTENCE
        while True:
            try:
                return self._refreshed_once(kept)
            except (NotNow, httpx2.TransportError):
                if time.monotonic() > deadline:
                    raise NotNow("no answer within the client's patience") from None
                time.sleep(0.05)

    def _refreshed_once(self, kept: Kept) -> Kept | None:
        answer = self.post("/token", kept.refresh())
        if answer.status_code == 400:
            return None
        return self._kept(kept.client_id, self._read(answer))

    def _living(self, browser: Browser) -> Callable[[], None]:
        return lambda: self._live(browser)

    def _live(self, browser: Browser) -> None:
        """A client that nobody else touches: its tokens are good until it revokes them, whatever breaks."""
        asked = {"client_name": "Living", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
        asked |= {"grant_types": ["authorization_code", "refresh_token"]}
        client_id = self._read(self._http.post(f"{self.issuer}/register", json=asked))["client_id"]
        kept = self._redeemed(client_id, browser)
        for _ in range(REFRESHES):
            kept = self._go_on(kept)
        if not self.is_active(kept.access_token):
            self.ledger.wrong.append("a token that was just issued is not active")
        if secrets.randbelow(2):
            self.ledger.live.append(kept)
            return
        self._read(self.post("/revoke", {"token": kept.refresh_token, "client_id": client_id}))
        self.ledger.revoked.append(kept)
        if self.is_active(kept.access_token):
            self.ledger.wrong.append("a token is active after its revocation was answered")

    def _redeemed(self, client_id: str, browser: Browser) -> Kept:
        verifier = secrets.token_urlsafe(48)
        form = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": REDIRECT_URI}
        form |= {
            "code": obtain_code(browser, client_id, verifier),
            "code_verifier": verifier,
            "resource": NOTES.identifier,
        }
        found = [answer for answer in self._at_once("/token", form) if answer.status_code == 200]
        if len(found) > 1:
            self.ledger.wrong.append("a code was redeemed twice")
        if not found:
            raise NotNow("the code was lost with its answer")
        return self._kept(client_id, found[0].json())

    def _go_on(self, kept: Kept) -> Kept:
        """The next tokens; sometimes two processes ask for them at once, and both go on with the same."""
        if not secrets.randbelow(4):
            found = [answer.json() for answer in self._at_once("/token", kept.refresh()) if answer.status_code == 200]
            if len({each["refresh_token"] for each in found}) > 1:
                self.ledger.wrong.append("two who refreshed at once got two successors")
        following = self.refreshed(kept)
        if following is None:
            self.ledger.wrong.append("a refresh token was refused that nobody had revoked")
            raise NotNow("the family has ended")
        return following

    def _kept(self, client_id: str, found: dict[str, Any]) -> Kept:
        self.ledger.refresh_tokens.append(credential.digest(found["refresh_token"]))
        return Kept(client_id, found["access_token"], found["refresh_token"])

    def _at_once(self, path: str, form: dict[str, str]) -> list[Any]:
        """Two requests at the same time, if there are races; the answers that came."""

        def ask(_: int) -> Any:
            try:
                return self.post(path, form)
            except httpx2.TransportError:
                return None

        with ThreadPoolExecutor(2) as pool:
            return [answer for answer in pool.map(ask, range(1 + self.races)) if answer is not None]

    def _issuing(self) -> Callable[[], None]:
        form = {"grant_type": "client_credentials", "resource": NOTES.identifier, **self.machine.form()}

        def issue() -> None:
            token = self._answered("/token", form)["access_token"]
            self.ledger.issued += 1
            if not self.is_active(token):
                self.ledger.wrong.append("a client's own token that was just issued is not active")

        return issue

    def _answered(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        return self._read(self.post(path, form))

    @staticmethod
    def _read(answer: Any) -> dict[str, Any]:
        if answer.status_code not in (200, 201):
            raise NotNow(answer.text)
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def _mixed(self, act: Callable[[Browser, Answered], None], browser: Browser) -> Callable[[], None]:
        return lambda: act(browser, self.ledger.mixed)

    def _keep_on(self, act: Callable[[], None], stop: threading.Event) -> None:
        while not stop.wait(PAUSE):
            try:
                act()
            except (NotNow, httpx2.TransportError):
                continue
            except Exception as unforeseen:  # noqa: BLE001 - whatever it is, it is told
                self.ledger.wrong.append(f"an answer that was not understood: {unforeseen!r}")

    @cached_property
    def _http(self) -> httpx2.Client:
        return self._client()

    def _client(self) -> httpx2.Client:
        return httpx2.Client(transport=Balancer(self.ports, self.answers), timeout=PATIENCE, trust_env=False)

    def _browser(self, username: str) -> Browser:
        browser = Browser(self.issuer, username)
        browser.http.close()
        browser.http = self._client()
        return browser
