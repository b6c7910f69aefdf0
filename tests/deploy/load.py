"""Requests without a pause, each of which must be answered well."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from .client import Client
from .site import RESOURCE


class Load:
    """What some clients do at once, each in a thread: refresh, take a machine's token, read documents and a page."""

    def __init__(self, clients: list[Client], machine: tuple[str, str], trust: ssl.SSLContext | bool = True) -> None:
        """*clients* have tokens; *machine* is id and secret of one that needs no person."""
        self.answered = 0
        self.failures: list[str] = []
        self._clients, self._machine, self._trust = clients, machine, trust
        self._stop = threading.Event()
        self._more = threading.Condition()

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Go on until the block ends."""
        threads = [threading.Thread(target=self._go_on, args=(each,)) for each in self._clients]
        for thread in threads:
            thread.start()
        try:
            self.after(len(threads))
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def after(self, further: int) -> None:
        """Wait until *further* requests were answered, or one was not."""
        with self._more:
            wanted = self.answered + further
            assert self._more.wait_for(lambda: self.answered >= wanted or self.failures, timeout=120)

    def _go_on(self, client: Client) -> None:
        with httpx2.Client(base_url=client.http.base_url, verify=self._trust, timeout=30) as machine:
            while not self._stop.is_set():
                self._try("refresh", client.refresh)
                self._try("token", lambda: self._token(machine))
                for path in ("/jwks", "/.well-known/oauth-authorization-server", "/sign-in"):
                    self._try(path, lambda path=path: _read(machine, path))

    def _token(self, machine: httpx2.Client) -> None:
        form = {"grant_type": "client_credentials", "resource": RESOURCE}
        answer = machine.post("/token", data=form, auth=self._machine)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"

    def _try(self, what: str, act) -> None:
        try:
            act()
        except (AssertionError, httpx2.HTTPError) as failed:
            self._count(f"{what}: {failed!r}")
        else:
            self._count(None)

    def _count(self, failure: str | None) -> None:
        with self._more:
            if failure is None:
                self.answered += 1
            else:
                self.failures.append(failure)
            self._more.notify_all()


def _read(http: httpx2.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"
