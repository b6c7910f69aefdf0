"""Servers: the MCP servers that tokens are for, with their scopes and the tools that those open."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ..deployment import deployment
from . import blueprint


@blueprint.get("/servers")
def servers() -> ResponseReturnValue:
    """All of them with their catalogues."""
    return render_template("admin/servers.html", resources=deployment().stores.resources.all())
