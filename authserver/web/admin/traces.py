"""Connections: what became of attempts to connect, by the reference that a person read from an error page."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.role import Permission
from ...protocol.trace.words import words_of
from ...store.traces import TraceFilter
from ..deployment import deployment
from ..listing import LINES, Search, wanted_id
from . import blueprint, filters
from .access import needs

NAMES = ("client", "person", "show")
EVERY = "all"


@blueprint.get("/traces")
@needs(Permission.TRACES_READ)
def traces() -> ResponseReturnValue:
    """Attempts that failed, or all of them, of one client or person; or the one that is searched for."""
    search, chosen = Search.asked(), filters.chosen(NAMES)
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
    return TraceFilter(
        failed=chosen["show"] != EVERY, client_id=chosen["client"], user_id=filters.user_id(chosen["person"])
    )
