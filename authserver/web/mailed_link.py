"""Links that people get by mail: the secret leaves the address at once, so that no history and no log keeps it.

It waits in a cookie of its own: not in the session, which begins anew when somebody signs in on the way.
"""

import re
from collections.abc import Callable
from functools import wraps

from flask import Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from ..protocol.credential import Prefix
from ..protocol.msg import msg
from . import cookies, problems
from .deployment import deployment
from .problem import Problem

SECRET = re.compile(rf"{Prefix.LINK}[A-Za-z0-9_-]{{43}}")
SECONDS = 3600
DEAD = Problem(
    msg("This link does not work any more"),
    msg("It was used already, a newer one took its place, or its time is over. Links that we mail work once."),
    (msg("Look whether you have a newer mail."), msg("Otherwise ask for a new one where you asked for this.")),
)

View = Callable[[], ResponseReturnValue]


def opened(view: View) -> View:
    """*view* for whoever follows a link: first its secret is put away, and the same page opened without it."""

    @wraps(view)
    def guarded() -> ResponseReturnValue:
        if "secret" not in request.args:
            return view()
        answer = make_response(redirect(url_for(request.endpoint or ""), 303))
        _keep(answer, request.args["secret"], SECONDS)
        return answer

    return guarded


def secret() -> str:
    """The secret of the link that this browser followed last; empty if there is none."""
    brought = request.cookies.get(_name(), "")
    return brought if SECRET.fullmatch(brought) else ""


def used(answer: ResponseReturnValue) -> Response:
    """*answer*, after which the browser forgets the secret."""
    response = make_response(answer)
    _keep(response, "", 0)
    return response


def dead() -> Response:
    """The page for a link that opens nothing."""
    return used(problems.page(DEAD, 410))


def _keep(response: Response, value: str, seconds: int) -> None:
    secure = deployment().settings.secure
    kept = value if SECRET.fullmatch(value) else ""
    response.set_cookie(_name(), kept, max_age=seconds, path="/", secure=secure, httponly=True, samesite="Lax")


def _name() -> str:
    return cookies.name(cookies.LINK, deployment().settings)
