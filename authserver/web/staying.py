"""Whether a browser is to stay signed in: the tick of the sign-in page, and its way through what follows."""

from collections.abc import Iterable

from flask import Flask, request, session

from ..store.remembered import RememberedListing
from ..store.sessions import SessionListing
from .deployment import deployment
from .listing import LINES

FIELD = "stays"


def install(app: Flask) -> None:
    """Let templates know whether there is a tick."""

    @app.context_processor
    def offered() -> dict[str, object]:
        return {"may_stay": deployment().settings.remember_me > 0}


def resting(user_id: str, sessions: Iterable[SessionListing]) -> list[RememberedListing]:
    """The browsers with which a person stays signed in, and that have none of their *sessions* now."""
    return deployment().places.resting(user_id, sessions, LINES)


def is_wanted() -> bool:
    """Whether the form that was sent has the tick."""
    return FIELD in request.form


def note(wanted: bool) -> None:
    """Keep in the cookie that it was ticked, while a second factor or a provider comes between."""
    session.pop(FIELD, None)
    if wanted:
        session[FIELD] = True


def was_noted() -> bool:
    """Whether it was ticked before."""
    return bool(session.get(FIELD))
