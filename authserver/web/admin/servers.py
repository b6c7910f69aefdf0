"""Servers: the MCP servers that tokens are for, with their scopes and the tools that those open."""

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.resource import identified
from ...protocol.role import Permission
from ...protocol.tool import Mark
from ...services.tool_catalogue.suspicion import alike
from ..deployment import deployment
from ..listing import wanted_id
from . import blueprint
from .access import needs


@blueprint.get("/servers")
@needs(Permission.SERVERS_READ)
def servers() -> ResponseReturnValue:
    """All of them with their scopes."""
    return render_template("admin/servers.html", resources=deployment().stores.resources.all())


@blueprint.get("/server")
@needs(Permission.SERVERS_READ)
def server() -> ResponseReturnValue:
    """One of them: its scopes, and each tool with its risk, whose word that is, and what waits."""
    found = identified(deployment().stores.resources.all(), wanted_id())
    if found is None:
        raise NotFound
    waiting = [tool for tool in found.tools if tool.mark in (Mark.NEW, Mark.CHANGED)]
    return render_template("admin/server.html", resource=found, waiting=waiting, alike=alike(found.tools))
