"""Tools of an MCP server that are new, or described in another way by now, are agreed to."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol import credential
from ...protocol.msg import msg
from ...protocol.resource import Resource
from ...protocol.role import Permission
from ...protocol.tool import Mark, Tool
from ...protocol.tool_list import MOST_TOOLS
from ...services.tool_catalogue.plan import NothingWaits, agree, told
from ..deployment import deployment
from ..listing import event
from ..stale import again, form_of
from . import blueprint
from .access import needs
from .server_edit import CHANGED, server_now

NONE_CHOSEN = msg("Tick the tools that are to be let in.")


@blueprint.get("/server/agree")
@needs(Permission.SERVERS_EDIT, fresh=True, typed=True)
def agree_to_tools() -> ResponseReturnValue:
    """What each of them is said to do, with what risk, and by which scope whoever holds it may call it from then on."""
    found = server_now()
    return render_template(
        "admin/agree_to_tools.html",
        resource=found,
        waiting=waiting(found),
        seen=_state(found),
        chosen=request.form.getlist("tool"),
    )


@blueprint.post("/server/agree")
@needs(Permission.SERVERS_EDIT, fresh=True, typed=True)
@form_of(agree_to_tools)
def do_agree_to_tools() -> ResponseReturnValue:
    """Let those in that are ticked, as the page showed them."""
    found, names = server_now(), request.form.getlist("tool")[:MOST_TOOLS]
    if not names:
        return again(agree_to_tools, NONE_CHOSEN, 400)
    if request.form.get("seen") != _state(found):
        return again(agree_to_tools, CHANGED, 409)
    try:
        after = agree(found, names)
    except NothingWaits:
        raise NotFound from None
    about = event("resource.tools_agreed").about(detail=told(names))
    if not deployment().stores.resources.exchange(found, after, about):
        return again(agree_to_tools, CHANGED, 409)
    return redirect(url_for("admin.server", id=found.identifier), 303)


def _state(found: Resource) -> str:
    """What the page showed, with what the server says of each tool; it changes with it."""
    return credential.digest(repr(waiting(found))).hex()


def waiting(found: Resource) -> list[Tool]:
    """The tools of *found* that nobody has agreed to as they are."""
    return [tool for tool in found.tools if tool.mark in (Mark.NEW, Mark.CHANGED)]
