"""Signing in."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.trace.step import Cause, Step
from .. import next_page, signed_in, tracing
from ..stale import form_of
from . import blueprint, upstream
from .judgement import NotJudgedRight, judge


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form, or straight on for whoever is signed in already."""
    if signed_in.visitor() is not None:
        return redirect(_onwards(), 303)
    return render_template("sign_in.html", username="", problem=None)


@blueprint.post("/sign-in")
@form_of(sign_in)
def attempt() -> ResponseReturnValue:
    """Judge a name and a password; a success begins a session and goes on. Or off to an identity provider."""
    if (elsewhere := upstream.asked_for()) is not None:
        return elsewhere
    username = request.form.get("username", "")
    try:
        user = judge(username)
    except NotJudgedRight as refused:
        tracing.note(Step.SIGN_IN, refused.cause)
        return refused.on(render_template("sign_in.html", username=username, problem=refused.problem))
    onwards = _onwards()
    tracing.note(Step.SIGN_IN, Cause.SIGNED_IN, user_id=user.id)
    signed_in.begin(user)
    return redirect(onwards, 303)


def _onwards() -> str:
    return next_page.wanted() or url_for("account.door")
