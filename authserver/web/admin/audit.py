"""The audit trail: every change of state, newest first."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...protocol.msg import msg
from ...protocol.role import Permission
from ...store.audit import AuditFilter
from ..deployment import deployment
from ..listing import LINES, Search
from . import blueprint, filters
from .access import needs

NAMES = ("name", "person", "user", "client", "grant", "outcome", "reference")


OUTCOMES = (msg("success"), msg("refused"))


@blueprint.get("/audit")
@needs(Permission.AUDIT_READ)
def audit() -> ResponseReturnValue:
    """Events, all of them or those that fit: of a kind, a person, a client, a grant, an outcome, a reference."""
    search, chosen, stores = Search.asked(), filters.chosen(NAMES), deployment().stores
    page = stores.audit.page(_filter(chosen), search.after, LINES)
    return render_template(
        "admin/audit.html",
        page=page,
        search=search,
        chosen=chosen,
        outcomes=OUTCOMES,
        seal=stores.seals.head(),
        streams=stores.streams.all(),
    )


def _filter(chosen: dict[str, str | None]) -> AuditFilter:
    return AuditFilter(
        name=chosen["name"],
        outcome=chosen["outcome"],
        user_id=chosen["user"] if chosen["person"] is None else filters.user_id(chosen["person"]),
        client_id=chosen["client"],
        grant_id=chosen["grant"],
        correlation_id=chosen["reference"],
    )
