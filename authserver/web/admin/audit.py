"""The audit trail: every change of state, newest first."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ...store.audit import AuditFilter
from ..deployment import deployment
from ..listing import LINES, Search
from . import blueprint
from .access import needs


@blueprint.get("/audit")
@needs(Permission.AUDIT_READ)
def audit() -> ResponseReturnValue:
    """Events, all of them or those of one person, client, grant or kind."""
    search = Search.asked()
    stores = deployment().stores
    page = stores.audit.page(_filter(), search.after, LINES)
    seal, streams = stores.seals.head(), stores.streams.all()
    return render_template("admin/audit.html", page=page, search=search, chosen=_filter(), seal=seal, streams=streams)


def _filter() -> AuditFilter:
    return AuditFilter(
        name=_chosen("name"), user_id=_chosen("user"), client_id=_chosen("client"), grant_id=_chosen("grant")
    )


def _chosen(name: str) -> str | None:
    given = request.args.get(name, "")
    return given if given.isprintable() and given else None
