"""Signing in."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...accounts.errors import Busy, TryLater, WrongCredentials
from ...protocol.trace.step import Cause, Step
from .. import next_page, signed_in, tracing
from ..deployment import deployment
from ..origin import origin
from ..stale import form_of
from . import blueprint

WRONG = "That name and password do not go together."
DELAYED = "Too many attempts. Wait {} and try again; until then, not even the right password works."
BUSY = "Many people are signing in at this moment. Please try again in a few seconds."


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form, or straight on for whoever is signed in already."""
    if signed_in.visitor() is not None:
        return redirect(_onwards(), 303)
    return render_template("sign_in.html", username="", problem=None)


@blueprint.post("/sign-in")
@form_of(sign_in)
def attempt() -> ResponseReturnValue:
    """Judge a name and a password; a success begins a session and goes on."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        user = deployment().sign_in.attempt(username, password, origin())
    except WrongCredentials:
        tracing.note(Step.SIGN_IN, Cause.WRONG_PASSWORD)
        return _again(username, WRONG, 400)
    except Busy as busy:
        tracing.note(Step.SIGN_IN, Cause.SIGN_IN_BUSY)
        return _again(username, BUSY, 503, busy.retry_after)
    except TryLater as delayed:
        tracing.note(Step.SIGN_IN, Cause.SIGN_IN_DELAYED)
        return _again(username, DELAYED.format(_duration(delayed.retry_after)), 429, delayed.retry_after)
    onwards = _onwards()
    tracing.note(Step.SIGN_IN, Cause.SIGNED_IN, user_id=user.id)
    signed_in.begin(user)
    return redirect(onwards, 303)


def _onwards() -> str:
    return next_page.wanted() or url_for("account.door")


def _again(username: str, problem: str, status: int, retry_after: int | None = None) -> ResponseReturnValue:
    response = make_response(render_template("sign_in.html", username=username, problem=problem), status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
