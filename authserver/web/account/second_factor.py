"""The second half of a sign-in: a code, or a passkey."""

from collections.abc import Iterable

from flask import redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from ...accounts.errors import WrongCredentials
from ...protocol.amr import Method
from ...protocol.trace.step import Cause, Step
from ...store.half_sign_ins import HalfSignIn
from .. import half_signed_in, next_page, signed_in, staying, tracing
from ..deployment import deployment
from ..stale import form_of
from . import blueprint
from .factor_judgement import judge_factor, passkey_to_ask
from .judgement import NotJudgedRight
from .upstream import UPSTREAM


@blueprint.get("/sign-in/second")
def second_factor() -> ResponseReturnValue:
    """The form; whoever has not given a password lately does that first."""
    half = half_signed_in.waiting()
    return _page(half, None) if half else _from_the_start()


@blueprint.post("/sign-in/second")
@form_of(second_factor)
def attempt_second() -> ResponseReturnValue:
    """Judge the second factor; a success begins the session, or confirms the one that there is, and goes on."""
    half = half_signed_in.waiting()
    if half is None:
        return _from_the_start()
    try:
        methods = judge_factor(half.user, _purpose(half), half.methods)
    except NotJudgedRight as refused:
        tracing.note(Step.SIGN_IN, refused.cause)
        return refused.on(_page(half, refused.problem))
    if not deployment().stores.half_sign_ins.complete(half.digest):
        return _from_the_start()
    onwards = next_page.wanted() or url_for("account.door")
    if (person := half_signed_in.of_visitor(half)) is not None:
        session.pop(half_signed_in.SECRET)
        signed_in.confirm(person, methods, half.auth_age)
        return redirect(onwards, 303)
    return _signed_in(half, methods, onwards)


def _signed_in(half: HalfSignIn, methods: Iterable[Method], onwards: str) -> ResponseReturnValue:
    elsewhere = session.get(UPSTREAM)
    try:
        signed_in.begin(half.user, methods, half.auth_age, stays=staying.was_noted())
    except WrongCredentials:  # they were given another password since it was judged
        return _from_the_start()
    tracing.note(Step.SIGN_IN, Cause.SIGNED_IN, user_id=half.user.id)
    if elsewhere:
        session[UPSTREAM] = elsewhere
    return redirect(onwards, 303)


def _page(half: HalfSignIn, problem: str | None) -> str:
    passkey = passkey_to_ask(_purpose(half), half.user)
    return render_template("second_factor.html", person=half.user, passkey=passkey, problem=problem)


def _from_the_start() -> ResponseReturnValue:
    return redirect(next_page.leading_to(next_page.wanted(), "account.sign_in"), 303)


def _purpose(half: HalfSignIn) -> str:
    return f"second {half.digest.hex()}"
