"""How long a token call takes while fifty people sign in at once, and in peace.

``authserver serve`` as shipped. Fifty people press the button at one instant, each from an address and with an account
of their own, and two seconds after the last is signed in all do so again; beside them one client refreshes its token
up to forty times a second. Who is asked to come again waits as long as they are told.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode, urlsplit

from authserver.accounts.passwords import Passwords
from authserver.protocol.audit import Event
from authserver.protocol.role import Role

from . import material
from .contestant import BenchError
from .database import database
from .http import FORM, Caller
from .ours import Ours, authserver
from .report import Beside

RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
PEOPLE = 50
PASSWORD = "quiet otters paint fences"  # noqa: S105 - of people who exist for a few seconds
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
APART = 0.025  # seconds between two refreshes
PAUSE = 2.0  # seconds between two instants at which all sign in
BEHIND_PROXY = {"AUTHSERVER_TRUSTED_PROXIES": "1"}


def beside(seconds: int) -> list[Beside]:
    """Refresh in peace, and beside the people, for so many *seconds* each."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        postgresql = stack.enter_context(database(folder))
        ours = stack.enter_context(authserver(home, postgresql, RESOURCE, more=BEHIND_PROXY))
        _add_people(ours)
        (code,) = ours.codes(1, material.register(ours, 1))
        (chain,) = material.chains(ours, [code])
        client = Client(ours.origin, *chain.split("\t"))
        peace = client.refreshed(seconds)
        with _people(ours) as crowd:
            busy = client.refreshed(seconds)
        put_off = crowd.answers[503] / max(1, crowd.answers[303])
        return [Beside("in peace", peace), Beside(f"beside {PEOPLE} people", busy, tuple(crowd.waited), put_off)]


@dataclass
class Client:
    """A client that refreshes: the token that it has, and the rest of its form."""

    origin: str
    token: str
    rest: str

    def refreshed(self, seconds: int) -> tuple[float, ...]:
        """Refresh for so many *seconds*; how many seconds each call took."""
        took: list[float] = []
        with Caller(self.origin) as caller:
            until = time.perf_counter() + seconds
            while (began := time.perf_counter()) < until:
                answer = caller.post_form("/token", urlencode({"refresh_token": self.token}) + self.rest)
                self.token = answer["refresh_token"]
                took.append(time.perf_counter() - began)
                time.sleep(max(0.0, APART - took[-1]))
        return tuple(took)


@dataclass
class Crowd:
    """People who sign in at one instant, and again a while later, until ``done``."""

    origin: str
    done: threading.Event = field(default_factory=threading.Event)
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(PEOPLE))
    answers: Counter[int] = field(default_factory=Counter)
    waited: list[float] = field(default_factory=list)

    def sign_in_again_and_again(self, number: int) -> None:
        """As the person of that *number*."""
        connection = HTTPConnection(urlsplit(self.origin).netloc, timeout=60)
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "Content-Type": FORM}
        while not self.done.wait(PAUSE):
            connection.request("GET", "/sign-in", headers=headers)
            page, cookie = _read(connection.getresponse())
            found = TOKEN.search(page)
            form = {"csrf_token": found[1] if found else "", "username": f"person-{number}", "password": PASSWORD}
            with suppress(threading.BrokenBarrierError):
                self.together.wait()
                self._press(connection, urlencode(form), {**headers, "Cookie": cookie})

    def _press(self, connection: HTTPConnection, form: str, headers: dict[str, str]) -> None:
        """Press the button, and again when that is asked for."""
        began, again = time.perf_counter(), True
        while again and not self.done.is_set():
            connection.request("POST", "/sign-in", form, headers)
            answer = connection.getresponse()
            answer.read()
            self.answers[answer.status] += 1
            again = answer.status == 503
            time.sleep(int(answer.headers.get("Retry-After", 0)))
        self.waited.append(time.perf_counter() - began)


@contextmanager
def _people(ours: Ours) -> Iterator[Crowd]:
    crowd = Crowd(ours.origin)
    threads = [
        threading.Thread(target=crowd.sign_in_again_and_again, args=(number,), daemon=True) for number in range(PEOPLE)
    ]
    for thread in threads:
        thread.start()
    yield crowd
    crowd.done.set()
    crowd.together.abort()
    for thread in threads:
        thread.join()
    if unknown := set(crowd.answers) - {303, 503}:
        raise BenchError(f"a sign-in was answered by {sorted(unknown)}")


def _add_people(ours: Ours) -> None:
    hashed = Passwords(1).hash(PASSWORD)
    for number in range(PEOPLE):
        event = Event("user.added", "bench")
        ours.stores.users.add(f"person-{number}", f"Person {number}", hashed, Role.MEMBER, event)


def _read(response: HTTPResponse) -> tuple[str, str]:
    """The page of *response*, and what a browser sends back of its cookies."""
    cookies: SimpleCookie = SimpleCookie()
    for line in response.headers.get_all("Set-Cookie") or ():
        cookies.load(line)
    return response.read().decode(), "; ".join(f"{name}={each.value}" for name, each in cookies.items())
