"""Who may open which page of the console: each view names the permission that it needs, and the gate asks for it.

A view that names none is open to nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...protocol.msg import Filled, listed, msg
from ...protocol.role import Permission, Role, opening
from .. import next_page
from ..languages import translated
from ..problem import Problem, Refused
from ..signed_in import View, is_stale, owed, visitor
from ..stale import again

ONCE_MORE = msg(
    "Nothing was done: your last password is too long ago. What you typed is still here. "
    '<a href="{}" target="_blank" rel="noopener">Give it again in another tab</a>, then press the button once more.'
)
CLOSED = msg("This page is not open to you")
OF_OTHERS = msg("It is for the role {}. Your role is {}.")
OF_NOBODY = msg("Your role is {}.")
AND_MORE = "{}, {}"
OR = msg("{} or {}")
ELSEWHERE = msg("If you need it for your work, ask an owner of this server to give you such a role.")


@dataclass(frozen=True, slots=True)
class Need:
    """What a view needs of whoever opens it; ``fresh``: to have signed in lately."""

    permission: Permission
    fresh: bool = False
    typed: bool = False


def needs(permission: Permission, *, fresh: bool = False, typed: bool = False) -> Callable[[View], View]:
    """Mark a view of the console as open to the roles that have *permission*; *fresh*: after a sign-in of late.

    A dangerous act and the page that asks about it are marked alike, so that the sign-in comes before the question.
    Where much is *typed*, the form comes again as it was sent when the sign-in has become too old meanwhile.
    """

    def mark(view: View) -> View:
        view.need = Need(permission, fresh, typed)  # type: ignore[attr-defined]
        return view

    return mark


def gate() -> ResponseReturnValue | None:
    """None for whoever may go on; others are sent to sign in, for dangerous acts once more, or get the 403 page."""
    person, need = visitor(), _need(request.endpoint or "")
    if person is None:
        return redirect(next_page.sign_in(), 303)
    if need is None or not person.user.role.may(need.permission):
        raise Refused(_not_open(person.user.role, need))
    if need.fresh and is_stale(person):
        return _once_more(need)
    page = owed(person)
    return redirect(page, 303) if page else None


def _once_more(need: Need) -> ResponseReturnValue:
    """To the password; nothing that was typed is lost by the way there."""
    page = getattr(current_app.view_functions.get(request.endpoint or ""), "page", None)
    if page is None or not need.typed:
        return redirect(next_page.to_sign_in_again(), 303)
    note = Markup(translated(ONCE_MORE)).format(next_page.to_sign_in_again())  # noqa: S704 - words of ours
    return again(page, note, 403)


def may_open(endpoint: str) -> bool:
    """Whether the view of *endpoint* is open to who is signed in: a link to it is shown to nobody else."""
    person, need = visitor(), _need(endpoint)
    return person is not None and need is not None and person.user.role.may(need.permission)


def _need(endpoint: str) -> Need | None:
    return getattr(current_app.view_functions.get(endpoint), "need", None)


def _not_open(role: Role, need: Need | None) -> Problem:
    roles = [Filled(each) for each in (opening(need.permission) if need else ())]
    wanted = listed(OR, [listed(AND_MORE, roles[:-1]), roles[-1]] if len(roles) > 1 else roles)
    happened = Filled(OF_OTHERS, wanted, Filled(role)) if roles else Filled(OF_NOBODY, Filled(role))
    return Problem(CLOSED, happened, (ELSEWHERE,))
