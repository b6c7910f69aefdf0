"""An MCP server is looked at as clients see it: what is wrong on their way from there, and what to do."""

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.msg import msg
from ...protocol.resource import Resource
from ...protocol.role import Permission
from ...services.doctor.outcome import Outcome
from ...services.doctor.registered import Busy
from ..deployment import deployment
from ..listing import wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

BUSY = msg("Other servers are being looked at in this moment. Nothing was done; try again in half a minute.")


@blueprint.get("/server/examine")
@needs(Permission.SERVERS_EDIT)
def examine_server() -> ResponseReturnValue:
    """What will be asked, and of whom."""
    return _page(None)


@blueprint.post("/server/examine")
@needs(Permission.SERVERS_EDIT)
@form_of(examine_server)
def do_examine_server() -> ResponseReturnValue:
    """Ask, and tell what was found."""
    try:
        return _page(deployment().server_doctor.look(_server()))
    except Busy:
        return again(examine_server, BUSY, 503)


def _page(outcomes: list[Outcome] | None) -> ResponseReturnValue:
    return render_template("admin/examine_server.html", resource=_server(), outcomes=outcomes)


def _server() -> Resource:
    found = deployment().stores.resources.find(wanted_id())
    if found is None:
        raise NotFound
    return found
