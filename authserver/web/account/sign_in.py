"""Signing in."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...accounts.errors import WrongCredentials
from ...protocol.amr import BY_PASSKEY, BY_PASSWORD
from ...protocol.trace.step import Cause, Step
from ...store.user import User
from .. import half_signed_in, next_page, signed_in, staying, tracing
from ..stale import form_of
from . import blueprint, upstream
from .factor_judgement import is_by_passkey, judge_passkey, passkey_to_ask
from .judgement import WRONG, NotJudgedRight, judge

PURPOSE = "sign-in"


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form, or straight on for whoever is signed in already."""
    if signed_in.visitor() is not None:
        return redirect(_onwards(), 303)
    return _page("", None)


@blueprint.post("/sign-in")
@form_of(sign_in)
def attempt() -> ResponseReturnValue:
    """Judge a passkey, or a name and a password; a success begins a session, if nothing more is owed, and goes on.

    Or off to an identity provider.
    """
    if (elsewhere := upstream.asked_for()) is not None:
        return elsewhere
    username = request.form.get("username", "")
    try:
        return _enter(judge_passkey(PURPOSE) if is_by_passkey() else judge(username))
    except WrongCredentials:  # they were given another password since it was judged
        refused = NotJudgedRight(WRONG, 400, Cause.WRONG_PASSWORD)
    except NotJudgedRight as judged:
        refused = judged
    tracing.note(Step.SIGN_IN, refused.cause)
    return refused.on(_page(username, refused.problem))


def _enter(user: User) -> ResponseReturnValue:
    onwards = _onwards()
    if not is_by_passkey() and half_signed_in.is_owed_by(user):
        half_signed_in.begin(user, stays=staying.is_wanted())
        return redirect(next_page.leading_to(onwards, "account.second_factor"), 303)
    signed_in.begin(user, BY_PASSKEY if is_by_passkey() else BY_PASSWORD, stays=staying.is_wanted())
    tracing.note(Step.SIGN_IN, Cause.SIGNED_IN, user_id=user.id)
    return redirect(onwards, 303)


def _page(username: str, problem: str | None) -> str:
    return render_template("sign_in.html", username=username, problem=problem, passkey=passkey_to_ask(PURPOSE))


def _onwards() -> str:
    return next_page.wanted() or url_for("account.door")
