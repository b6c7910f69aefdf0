"""Servers: the MCP servers that tokens are for, with their scopes and the tools that those open."""

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.policy.rule import Rule
from ...protocol.resource import Resource
from ...protocol.role import Permission
from ...services.tool_catalogue.suspicion import alike
from ..deployment import deployment
from ..listing import wanted_id
from . import blueprint
from .access import needs
from .tools_waiting import waiting


@blueprint.get("/servers")
@needs(Permission.SERVERS_READ)
def servers() -> ResponseReturnValue:
    """All of them with their scopes, and those that are suspended."""
    return render_template("admin/servers.html", resources=deployment().stores.resources.every())


@blueprint.get("/server")
@needs(Permission.SERVERS_READ)
def server() -> ResponseReturnValue:
    """One of them: its guard, the rules about it, its scopes, and each tool with its risk and whose word that is."""
    stores = deployment().stores
    found = stores.resources.find(wanted_id())
    if found is None:
        raise NotFound
    return render_template(
        "admin/server.html",
        resource=found,
        waiting=waiting(found),
        alike=alike(found.tools),
        guards=stores.clients.guards(found.identifier),
        rules=[rule for rule in stores.policies.current().rules if _is_about(rule, found)],
        lifetimes=deployment().settings,
    )


def _is_about(rule: Rule, server: Resource) -> bool:
    return not rule.when.servers or server.identifier in rule.when.servers
