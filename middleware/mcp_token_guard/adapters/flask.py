"""For Flask: the whole application behind the guard, or single views of one that is otherwise open."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, request

from ..admission import authorize
from ..background import drive
from ..caller import CALLER
from ..guard import Guard
from ..refusals import GuardError
from ..replies import Reply
from ..scopes import ScopeNames, names
from ..wsgi import request_of

P = ParamSpec("P")
R = TypeVar("R")


def protect(app: Flask, guard: Guard) -> None:
    """Put the whole of *app* behind *guard*, its MCP endpoint's calls included. Do it once."""
    app.wsgi_app = guard.wsgi(app.wsgi_app)  # type: ignore[method-assign]
    answer_refusals(app, guard)


def answer_refusals(app: Flask, guard: Guard) -> None:
    """Have *app* answer what `requires` and `token_required` refuse with the guard's own challenges."""

    def answer(refusal: GuardError) -> Response:
        return _response(guard.challenges.reply(refusal))

    app.register_error_handler(GuardError, answer)


def token_required(guard: Guard, *scopes: ScopeNames) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for a view of an application that is not behind the guard: base set and *scopes* are needed.

    The view finds its caller by `current_caller`. Calls in a body are not looked at: an MCP endpoint needs `protect`.
    `answer_refusals` makes the answers.
    """
    needed = tuple(name for given in scopes for name in names(given))

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            token = CALLER.set(drive(authorize(guard, request_of(request.environ), *needed)))
            try:
                return view(*args, **kwargs)
            finally:
                CALLER.reset(token)

        return guarded

    return decorate


def _response(reply: Reply) -> Response:
    headers = [(name.decode("ascii"), value.decode("ascii")) for name, value in reply.headers]
    return Response(reply.body, reply.status, headers)
