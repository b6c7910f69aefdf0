"""Tool calls: what guards said was called, by whom and through which client, and how often."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ...store.tool_calls import CallFilter
from ..deployment import deployment
from ..listing import LINES, Search
from . import blueprint, filters
from .access import needs

NAMES = ("person", "client", "server", "tool", "grant")


@blueprint.get("/calls")
@needs(Permission.CALLS_READ)
def calls() -> ResponseReturnValue:
    """Calls, all of them or those of one person, client, server, tool or grant; and how busy the tools are."""
    search, chosen = Search.asked(), filters.chosen(NAMES)
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
        user_id=filters.user_id(chosen["person"]),
        client_id=chosen["client"],
        grant_id=chosen["grant"],
        resource=chosen["server"],
        tool=chosen["tool"],
    )
