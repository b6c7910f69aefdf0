"""The proof once more, before a dangerous act: whoever found a browser open must not do it.

Who has a second factor gives it too, or a passkey alone.
"""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...protocol.amr import BY_PASSKEY, BY_PASSWORD, Method
from ...protocol.msg import msg
from .. import next_page
from ..deployment import deployment
from ..origin import origin
from ..signed_in import Visitor, recognised, visitor
from ..stale import form_of
from . import blueprint, upstream
from .factor_judgement import is_by_passkey, judge_factor, judge_passkey, passkey_to_ask
from .judgement import NotJudgedRight, judge

WRONG = msg("That is not your password.")


@blueprint.get("/sign-in/again")
@recognised
def sign_in_again() -> ResponseReturnValue:
    """The form."""
    person = visitor()
    return _page(person, None) if person else redirect(next_page.sign_in(), 303)


@blueprint.post("/sign-in/again")
@recognised
@form_of(sign_in_again)
def attempt_again() -> ResponseReturnValue:
    """Judge the proof, with the delays that a wrong one costs at sign-in; a success goes on to the act's page."""
    person = visitor()
    if person is None:  # its session has ended since the request began
        return redirect(next_page.sign_in(), 303)
    if (elsewhere := upstream.asked_again(person)) is not None:
        return elsewhere
    try:
        methods = _judge(person)
    except NotJudgedRight as refused:
        return refused.on(_page(person, refused.problem))
    deployment().sessions.confirm(person.session, origin(), methods)
    return redirect(next_page.wanted() or url_for("account.door"), 303)


def _judge(person: Visitor) -> tuple[Method, ...]:
    """By which methods *person* has proved who they are. Raises `NotJudgedRight`."""
    if is_by_passkey():
        judge_passkey(_purpose(person), person.user)
        return BY_PASSKEY
    judge(person.user.username, WRONG)
    return judge_factor(person.user, _purpose(person), BY_PASSWORD) if _owes_factor(person) else BY_PASSWORD


def _owes_factor(person: Visitor) -> bool:
    return person.session.has_factor and deployment().second_factors.are_used


def _page(person: Visitor, problem: str | None) -> str:
    passkey = passkey_to_ask(_purpose(person), person.user) if _owes_factor(person) else None
    return render_template("sign_in_again.html", owes_factor=_owes_factor(person), passkey=passkey, problem=problem)


def _purpose(person: Visitor) -> str:
    return f"again {person.session.digest.hex()}"
