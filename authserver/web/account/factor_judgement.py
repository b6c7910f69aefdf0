"""A passkey, or a code, judged; what is wrong with it is told in words for the page that asked."""

from typing import Any

from flask import request

from ...accounts.errors import TryLater, WrongFactor
from ...protocol.amr import BY_PASSKEY, WITH_CODE, Method
from ...protocol.msg import msg
from ...protocol.trace.step import Cause
from ...store.factors import Kind
from ...store.user import User
from ..deployment import deployment
from ..headers import let_run_script
from ..origin import origin
from .judgement import NotJudgedRight, delayed

WRONG_CODE = msg("That is not a code that opens this now. Each code works once, and an app’s code for about a minute.")
WRONG_PASSKEY = msg("That passkey does not open this. If you waited long, try again.")


def passkey_to_ask(purpose: str, user: User | None = None) -> dict[str, Any] | None:
    """What the page's script asks the browser for; None where no passkey can be there."""
    factors = deployment().second_factors
    if not (factors.are_used and factors.passkeys.are_possible):
        return None
    if user and not any(factor.kind is Kind.PASSKEY for factor in factors.codes.store.of_user(user.id)):
        return None
    let_run_script()
    return factors.passkeys.to_ask(purpose, user)


def is_by_passkey() -> bool:
    """Whether the form that was sent is the one with a passkey."""
    return "credential" in request.form and deployment().second_factors.are_used


def judge_passkey(purpose: str, expected: User | None = None) -> User:
    """The person whose passkey the form carries, who must be the *expected* one if there is one.

    Raises `NotJudgedRight`.
    """
    try:
        user = deployment().second_factors.passkeys.judge(request.form["credential"], purpose, origin())
    except WrongFactor:
        raise NotJudgedRight(WRONG_PASSKEY, 400, Cause.WRONG_FACTOR) from None
    except TryLater as later:
        raise delayed(later) from None
    if expected and user.id != expected.id:
        raise NotJudgedRight(WRONG_PASSKEY, 400, Cause.WRONG_FACTOR)
    return user


def judge_factor(user: User, purpose: str, before: tuple[Method, ...]) -> tuple[Method, ...]:
    """By which methods *user*, proved by those *before*, has signed in now: with the form's passkey, or its code.

    Raises `NotJudgedRight`.
    """
    if is_by_passkey():
        judge_passkey(purpose, user)
        return (*before, *BY_PASSKEY)
    try:
        deployment().second_factors.codes.judge(user, request.form.get("code", ""), origin())
    except WrongFactor:
        raise NotJudgedRight(WRONG_CODE, 400, Cause.WRONG_FACTOR) from None
    except TryLater as later:
        raise delayed(later) from None
    return (*before, *WITH_CODE)
