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
    Refused,
    administer,
    connect,
    govern,
    obtain_code,
)

from .answers import Answers, Balancer
from .leaping import Spans

REFRESHES = 3
PAUSE = 0.05  # between two rounds of one of them: the faults are the trial, not the rate
# Seconds in which what was not answered may be repeated, and a code redeemed, by the defaults: 30 and 60, less the one
# that may be lost where the server counts in whole ones. What is refused later, is refused rightly.
RETRY_WINDOW, CODE_LIFETIME = 29.0, 59.0
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
    spans: Spans = field(default_factory=Spans)
    """What the database's clock must not leap over: the life of a code, and all who ask for the same."""

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
                one.join(RETRY_WINDOW + PATIENCE)

    def post(self, path: str, form: dict[str, str]) -> Any:
        """A client's request to whichever node."""
        return self._http.post(f"{self.issuer}{path}", data=form)

    def is_active(self, token: str) -> bool:
        """Whether the resource server is told that the token is good. Raises `NotNow`."""
        return bool(self._answered("/introspect", {"token": token, **self.guard.form()})["active"])

    def refreshed(self, kept: Kept, since: float | None = None) -> Kept | None:
        """What the client gets, asking again while no answer comes; None once it is refused.

        It has asked for the first time at the moment *since* (monotonic), if not just now. Raises `NotNow` once it has
        no answer in the time in which it may repeat.
        """
        until = (time.monotonic() if since is None else since) + RETRY_WINDOW
        while True:
            try:
                found = self._refreshed_once(kept)
            except (NotNow, httpx2.TransportError):
                found = None
            else:
                if found or time.monotonic() < until:
                    return found
            if time.monotonic() > until:
                raise NotNow("no answer in the time in which a refresh may be repeated")
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
        with self.spans.span():
            kept = self._redeemed(client_id, browser)
        for _ in range(REFRESHES):
            with self.spans.span():
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
        verifier, until = secrets.token_urlsafe(48), time.monotonic() + CODE_LIFETIME
        form = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": REDIRECT_URI}
        form |= {
            "code": self._code(browser, client_id, verifier),
            "code_verifier": verifier,
            "resource": NOTES.identifier,
        }
        answers = self._at_once("/token", form)
        found = [answer for answer in answers if _is(answer, 200)]
        if len(found) > 1:
            self.ledger.wrong.append("a code was redeemed twice")
        if not found:
            # Whoever was not answered, or by a 503, may have redeemed it.
            if time.monotonic() < until and all(_is_refusal(answer) for answer in answers):
                self.ledger.wrong.append(f"a good code was refused to all who had it: {answers[0].text[:200]}")
            raise NotNow("the code was lost with its answer")
        return self._kept(client_id, found[0].json())

    def _code(self, browser: Browser, client_id: str, verifier: str) -> str:
        try:
            return obtain_code(browser, client_id, verifier)
        except Refused as refused:
            self.ledger.wrong.append(f"nobody could allow a client that nobody had touched: {str(refused)[:500]}")
            raise

    def _go_on(self, kept: Kept) -> Kept:
        """The next tokens; sometimes two processes ask for them at once, and both go on with the same."""
        since, answers = time.monotonic(), []
        if not secrets.randbelow(4):
            answers = self._at_once("/token", kept.refresh())
            if len({answer.json()["refresh_token"] for answer in answers if _is(answer, 200)}) > 1:
                self.ledger.wrong.append("two who refreshed at once got two successors")
        is_refused = any(_is_refusal(answer) for answer in answers) and time.monotonic() < since + RETRY_WINDOW
        following = None if is_refused else self.refreshed(kept, since)
        if following is None:
            self.ledger.wrong.append("a refresh token was refused that nobody had revoked")
            raise NotNow("the family has ended")
        return following

    def _kept(self, client_id: str, found: dict[str, Any]) -> Kept:
        self.ledger.refresh_tokens.append(credential.digest(found["refresh_token"]))
        return Kept(client_id, found["access_token"], found["refresh_token"])

    def _at_once(self, path: str, form: dict[str, str]) -> list[Any]:
        """Two requests at the same time; the answers, None where there was none."""

        def ask(_: int) -> Any:
            try:
                return self.post(path, form)
            except httpx2.TransportError:
                return None

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(ask, range(2)))

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

    def _read(self, answer: Any) -> dict[str, Any]:
        """What was answered to somebody who asked for nothing but their own. Raises `NotNow`."""
        if _is_refusal(answer):
            self.ledger.wrong.append(f"{answer.request.url.path} refused what is right: {answer.text[:200]}")
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


def _is(answer: Any, status: int) -> bool:
    """Whether this was answered; *answer* is None if nothing was."""
    return answer is not None and answer.status_code == status


def _is_refusal(answer: Any) -> bool:
    """Whether the server would not, of its own accord; a 503 tells nothing of that."""
    return answer is not None and 400 <= answer.status_code < 500
