"""Connections: what became of attempts to connect, by the reference that a person read from an error page."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.role import Permission
from ...protocol.trace.words import words_of
from ...store.traces import TraceFilter
from ..deployment import deployment
from ..listing import LINES, Search, wanted_id
from . import blueprint
from .access import needs

NAMES = ("client", "person", "show")
EVERY = "all"
MOST_CHARACTERS = 2048
NOBODY = ""


@blueprint.get("/traces")
@needs(Permission.TRACES_READ)
def traces() -> ResponseReturnValue:
    """Attempts that failed, or all of them, of one client or person; or the one that is searched for."""
    search, chosen = Search.asked(), {name: _chosen(name) for name in NAMES}
    if search.query:
        found = deployment().timelines.find(search.query)
        if found is not None:
            return redirect(url_for("admin.trace", id=found.trace.id), 303)
    page = deployment().stores.traces.page(_filter(chosen), search.after, LINES)
    return render_template("admin/traces.html", page=page, search=search, chosen=chosen, words_of=words_of)


@blueprint.get("/trace")
@needs(Permission.TRACES_READ)
def trace() -> ResponseReturnValue:
    """One attempt, step by step."""
    found = deployment().timelines.find(wanted_id())
    if found is None:
        raise NotFound
    return render_template("admin/trace.html", timeline=found)


def _filter(chosen: dict[str, str | None]) -> TraceFilter:
    return TraceFilter(failed=chosen["show"] != EVERY, client_id=chosen["client"], user_id=_user_id(chosen["person"]))


def _user_id(username: str | None) -> str | None:
    """The person called *username*; for one that there is not an id that nobody has."""
    if username is None:
        return None
    found = deployment().stores.users.by_name(username)
    return found.id if found else NOBODY


def _chosen(name: str) -> str | None:
    given = request.args.get(name, "")
    return given if given.isprintable() and 0 < len(given) <= MOST_CHARACTERS else None
