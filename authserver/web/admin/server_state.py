"""An MCP server is suspended, so that nobody gets tokens for it, or let be used again; its grants stay."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ...store.grants import Whose
from ..deployment import deployment
from ..listing import event
from ..stale import form_of
from . import blueprint
from .access import needs
from .grants_of import MOST_COUNTED
from .server_edit import server_now


@blueprint.get("/server/suspend")
@needs(Permission.SERVERS_EDIT, fresh=True)
def suspend_server() -> ResponseReturnValue:
    """What suspending it, or its end, will do."""
    found = server_now()
    live = deployment().stores.grants.count_live(Whose(resource=found.identifier), MOST_COUNTED)
    return render_template("admin/suspend_server.html", resource=found, live=live, most=MOST_COUNTED)


@blueprint.post("/server/suspend")
@needs(Permission.SERVERS_EDIT, fresh=True)
@form_of(suspend_server)
def do_suspend_server() -> ResponseReturnValue:
    """Suspend it, or let it be used again, as the form says. Done twice, it is done."""
    found, suspend = server_now(), request.form.get("suspend") == "yes"
    if suspend != found.suspended:
        about = event("resource.suspended" if suspend else "resource.resumed")
        deployment().stores.resources.set_suspended(found.identifier, suspend, about)
    return redirect(url_for("admin.server", id=found.identifier), 303)
