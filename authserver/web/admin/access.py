"""Who may open which page of the console: each view names the permission that it needs, and the gate asks for it.

A view that names none is open to nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...protocol.role import Permission, Role, opening
from .. import next_page
from ..problem import Problem, Refused
from ..signed_in import View, is_stale, owed, visitor
from ..stale import again

ONCE_MORE = Markup(
    "Nothing was done: your last password is too long ago. What you typed is still here. "
    '<a href="{}" target="_blank" rel="noopener">Give it again in another tab</a>, then press the button once more.'
)
ELSEWHERE = "If you need it for your work, ask an owner of this server to give you such a role."


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
    return again(page, ONCE_MORE.format(next_page.to_sign_in_again()), 403)


def may_open(endpoint: str) -> bool:
    """Whether the view of *endpoint* is open to who is signed in: a link to it is shown to nobody else."""
    person, need = visitor(), _need(endpoint)
    return person is not None and need is not None and person.user.role.may(need.permission)


def _need(endpoint: str) -> Need | None:
    return getattr(current_app.view_functions.get(endpoint), "need", None)


def _not_open(role: Role, need: Need | None) -> Problem:
    roles = opening(need.permission) if need else ()
    wanted = f"It is for {_listed(roles)}. " if roles else ""
    return Problem("This page is not open to you", f"{wanted}Your role is {role}.", (ELSEWHERE,))


def _listed(roles: tuple[Role, ...]) -> str:
    *first, last = (f"the role {role}" if index == 0 else role for index, role in enumerate(roles))
    return f"{', '.join(first)} or {last}" if first else last
