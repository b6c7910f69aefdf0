"""What is seen of a request while it is answered, for metrics, access log and traces: filled in by whoever knows it."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, request

from ..protocol.client_authentication import presented
from ..protocol.errors import OAuthError, SlowDown
from ..protocol.form import Form
from .local import itself

KEY = "authserver.seen"
TOGETHER = {"admin": "console"}  # hundreds of pages that few people look at
NOTHING = "none"
SLOW_DOWN = "slow_down"


@dataclass(slots=True)
class Seen:
    """``endpoint`` and ``grant`` are words of ours, never a stranger's. ``status`` begins with that of the answer.

    ``form`` and ``authorization`` are what a program sent. ``trace_id`` is there where a trace is known.
    """

    endpoint: str = NOTHING
    grant: str = ""
    status: str = "500"
    route: str = ""
    error: str | None = None
    form: Form | None = None
    authorization: str | None = None
    correlation_id: str = ""
    trace_id: str = ""

    def refused(self, problem: OAuthError) -> None:
        """That the request ends in *problem*. Who comes too often is told apart from a server that is not available."""
        self.error = SLOW_DOWN if isinstance(problem, SlowDown) else str(problem.error)

    @property
    def client_id(self) -> str:
        """The client that proved itself: who failed to may have sent a secret in place of its name."""
        if self.form is None or self.status[0] != "2":
            return ""
        try:
            return presented(self.authorization, self.form).client_id
        except OAuthError:
            return ""


def of(environ: dict[str, Any]) -> Seen:
    """What is seen of the request with *environ*."""
    found = environ.get(KEY)
    if found is None:
        found = environ[KEY] = Seen()
    return found


def install(app: Flask) -> None:
    """Have the pages of *app* name themselves before anything else looks at the request."""
    app.before_request(_name)


def failed(error: str) -> None:
    """That the page that is being made ends in *error*, a word of ours."""
    of(request.environ).error = error


def _name() -> None:
    asked = itself(request)
    if asked.url_rule is not None:
        found = of(asked.environ)
        blueprint, _, name = asked.url_rule.endpoint.rpartition(".")
        found.endpoint = TOGETHER.get(blueprint, name)
        found.route = asked.url_rule.rule
