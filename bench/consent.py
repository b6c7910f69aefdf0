"""What the consent page costs: CPU time to render it, and of the whole request, in this process over PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from flask import Flask, before_render_template, request_finished, request_started, template_rendered
from werkzeug.test import Client as Browser

from authserver.protocol import credential
from authserver.protocol.audit import Event, Origin
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.protocol.resource import Resource
from authserver.protocol.role import Role
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Annotations, Claim, Mark, Tool, Word
from authserver.services.deployment import Deployment

from .contestant import BenchError
from .database import database
from .ours import application, environment_of, set_up
from .report import Cost

RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
REDIRECT = "https://app.example/callback"
PAGES = {"5 tools": 5, "60 tools": 60}
REQUESTS = 100
EVENT = Event("bench.prepared", "system")
RISKS = (Risk.READ, Risk.WRITE, Risk.DESTRUCTIVE)
SCOPES = tuple(Scope(f"docs:{risk}", f"Work with documents: {risk}", risk) for risk in RISKS)


def costs(pairs: int) -> list[Cost]:
    """Microseconds of CPU of each of `PAGES`, *pairs* times: to render it, and of the request that it answers."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        home = Path(name, "home")
        home.mkdir()
        with database(Path(name)) as postgresql:
            environment = environment_of(home, postgresql, 0)
            set_up(environment, RESOURCE)
            app = application(environment)
            found: Deployment = app.extensions["authserver"]
            client_id, browser = _register(found), _signed_in(app, found)
            pages = {title: _server(found, count) for title, count in PAGES.items()}
            measured = {title: _measure(app, browser, _asking(client_id, url), pairs) for title, url in pages.items()}
            found.stores.database.close()
    return [Cost(title, spent.rendering, spent.request) for title, spent in measured.items()]


@dataclass(frozen=True, slots=True)
class _Spent:
    """Microseconds of CPU per request: medians, point by point."""

    rendering: tuple[float, ...]
    request: tuple[float, ...]


@dataclass(slots=True)
class _Watch:
    """What was measured between pairs of signals."""

    begun: float = 0.0
    began_rendering: float = 0.0
    rendering: list[float] = field(default_factory=list)
    request: list[float] = field(default_factory=list)

    @contextmanager
    def looking(self, app: Flask) -> Iterator[None]:
        """Measure the requests to *app* meanwhile."""

        def begins(*_: object, **__: object) -> None:
            self.begun = time.thread_time()

        def renders(*_: object, **__: object) -> None:
            self.began_rendering = time.thread_time()

        def rendered(*_: object, **__: object) -> None:
            self.rendering.append(1e6 * (time.thread_time() - self.began_rendering))

        def ends(*_: object, **__: object) -> None:
            self.request.append(1e6 * (time.thread_time() - self.begun))

        with (
            request_started.connected_to(begins, app),
            before_render_template.connected_to(renders, app),
            template_rendered.connected_to(rendered, app),
            request_finished.connected_to(ends, app),
        ):
            yield


def _measure(app: Flask, browser: Browser, url: str, pairs: int) -> _Spent:
    points = [_point(app, browser, url) for _ in range(pairs + 1)][1:]
    rendering, request = zip(*points, strict=True)
    return _Spent(rendering, request)


def _point(app: Flask, browser: Browser, url: str) -> tuple[float, float]:
    watch = _Watch()
    with watch.looking(app):
        for _ in range(REQUESTS):
            answer = browser.get(url)
            if answer.status_code != 200:
                raise BenchError(f"the consent page was not shown: {answer.status}")
    return median(watch.rendering), median(watch.request)


def _register(found: Deployment) -> str:
    client = Client(
        client_id=credential.identifier(),
        kind=ClientKind.DYNAMIC,
        name="bench",
        redirect_uris=(REDIRECT,),
        auth_method=AuthMethod.NONE,
        grant_types=(GrantType.AUTHORIZATION_CODE,),
        created_at=int(time.time()),
    )
    found.stores.clients.register(client, EVENT)
    return client.client_id


def _signed_in(app: Flask, found: Deployment) -> Browser:
    person = found.stores.users.add("bench", "Bench", "no password", Role.MEMBER, EVENT)
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = found.sessions.open(person, Origin("192.0.2.1", "bench"))
    return browser


def _server(found: Deployment, count: int) -> str:
    """The identifier of a new MCP server with *count* tools of all risks."""
    tools = tuple(_tool(f"tool_{number}", SCOPES[number % len(SCOPES)]) for number in range(count))
    resource = Resource(f"https://{count}.example/mcp", f"{count} tools", SCOPES, tools)
    found.stores.resources.add(resource, EVENT)
    return resource.identifier


def _tool(name: str, scope: Scope) -> Tool:
    hints = Annotations(read_only=scope.risk is Risk.READ, destructive=scope.risk is Risk.DESTRUCTIVE)
    claim = Claim(f"The tool {name}", "What it does", hints, "w", "s", (("path", "string"), ("count", "integer")))
    return Tool(name, claim.title, (scope.name,), claim.description, scope.risk, Word.SERVER, Mark.AGREED, claim)


def _asking(client_id: str, resource: str) -> str:
    return "/authorize?" + urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
            "resource": resource,
            "scope": " ".join(scope.name for scope in SCOPES),
        }
    )
