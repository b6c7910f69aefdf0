"""Tool calls: what guards said was called, by whom and through which client, and how often."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ...store.tool_calls import CallFilter
from ..deployment import deployment
from ..listing import LINES, Search
from . import blueprint
from .access import needs

NAMES = ("person", "client", "server", "tool", "grant")
MOST_CHARACTERS = 2048
NOBODY = ""


@blueprint.get("/calls")
@needs(Permission.CALLS_READ)
def calls() -> ResponseReturnValue:
    """Calls, all of them or those of one person, client, server, tool or grant; and how busy the tools are."""
    search, chosen = Search.asked(), {name: _chosen(name) for name in NAMES}
    stores = deployment().stores
    page = stores.tool_calls.page(_filter(chosen), search.after, LINES)
    return render_template(
        "admin/calls.html",
        page=page,
        search=search,
        chosen=chosen,
        volumes=stores.tool_calls.volumes(chosen["server"]),
        resources=stores.resources.all(),
    )


def _filter(chosen: dict[str, str | None]) -> CallFilter:
    return CallFilter(
        user_id=_user_id(chosen["person"]),
        client_id=chosen["client"],
        grant_id=chosen["grant"],
        resource=chosen["server"],
        tool=chosen["tool"],
    )


def _user_id(username: str | None) -> str | None:
    """The person called *username*; for one that there is not an id that nobody has."""
    if username is None:
        return None
    found = deployment().stores.users.by_name(username)
    return found.id if found else NOBODY


def _chosen(name: str) -> str | None:
    given = request.args.get(name, "")
    return given if given.isprintable() and 0 < len(given) <= MOST_CHARACTERS else None
