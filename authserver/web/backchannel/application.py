"""The routes of the back channel, and the frame around every one: method, CORS, errors, log."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from werkzeug.exceptions import BadRequest

from ...protocol import own_api
from ...protocol.errors import InvalidRequest, OAuthError, ServerError, TemporarilyUnavailable
from ...store.failures import UNAVAILABLE, reason
from .. import seen
from . import response
from .request import Request
from .response import Response

Handler = Callable[[Request], Response]
StartResponse = Callable[..., Any]
AWAY = "the database is not available; try again"
log = structlog.get_logger(__name__)


class MethodNotAllowed(InvalidRequest):
    """Another method than the endpoint has; back-channel secrets travel in bodies, so GET is refused (TK-7)."""

    status_code = 405


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: its handler per method, and whether browser clients may call it."""

    handlers: dict[str, Handler]
    cors: bool = True

    def respond(self, request: Request) -> Response:
        """The answer, whatever happens: errors in OAuth's form, their reasons in the log only."""
        try:
            answer = self._handle(request)
        except OAuthError as problem:
            answer = self._problem(problem, request)
        except BadRequest as problem:
            answer = self._problem(InvalidRequest(str(problem.description)), request)
        except UNAVAILABLE as problem:
            again = TemporarilyUnavailable(AWAY, private=reason(problem), retry_after=1)
            answer = self._problem(again, request)
        except Exception:
            log.exception("request failed", path=request.path, correlation_id=request.origin.correlation_id)
            answer = self._problem(ServerError("something went wrong here; it was logged"), request)
        if self.cors and ("Access-Control-Allow-Origin", "*") not in answer.headers:
            return Response(answer.status, [*answer.headers, *response.PUBLIC], answer.body)
        return answer

    def _handle(self, request: Request) -> Response:
        if request.method == "OPTIONS" and self.cors:
            return response.preflight(request, (*self.handlers, "OPTIONS"))
        method = "GET" if request.method == "HEAD" else request.method
        if method not in self.handlers:
            raise MethodNotAllowed(f"this endpoint takes {' or '.join(self.handlers)}")
        return self.handlers[method](request)

    def _problem(self, problem: OAuthError, request: Request) -> Response:
        seen.of(request.environ).refused(problem)
        log.log(
            logging.INFO if problem.status_code < 500 else logging.ERROR,
            "request refused",
            path=request.path,
            error=problem.error,
            description=problem.description,
            private=problem.private,
            address=request.origin.address,
            correlation_id=request.origin.correlation_id,
        )
        answer = response.error(problem, request.origin.correlation_id)
        if isinstance(problem, MethodNotAllowed):
            answer.headers.append(("Allow", ", ".join((*self.handlers, "OPTIONS"))))
        return answer


class Responder(Protocol):
    """What answers requests."""

    def respond(self, request: Request) -> Response:
        """The answer, whatever happens."""


class Backchannel:
    """Finds the route of a path: exact ones, then those under a prefix."""

    def __init__(self, routes: Mapping[str, Responder], prefixes: Mapping[str, Responder]) -> None:
        """*routes* by path, *prefixes* by the beginning of the path, ending in a slash."""
        self._routes = routes
        self._prefixes = prefixes
        self._names = {id(route): _name(path) for path, route in reversed([*routes.items(), *prefixes.items()])}

    def find(self, path: str) -> Responder | None:
        """The route of *path*, or None when it is not the back channel's."""
        route = self._routes.get(path)
        if route is None:
            route = next((found for start, found in self._prefixes.items() if path.startswith(start)), None)
        return route

    def serve(self, route: Responder, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one WSGI request by *route*."""
        seen.of(environ).endpoint = self._names[id(route)]
        answer = route.respond(Request(environ))
        body = b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body
        headers = answer.headers if answer.status in (204, 304) else [*answer.headers, _length(answer)]
        start_response(answer.status_line, headers)
        return [body]


def _name(path: str) -> str:
    """What metrics and logs call the endpoint at *path*, which is one of ours."""
    if path.startswith(own_api.PATH):
        return "api"
    return "metadata" if "/.well-known/" in path else path.strip("/").replace("/", "_")


def _length(answer: Response) -> tuple[str, str]:
    return ("Content-Length", str(len(answer.body)))
