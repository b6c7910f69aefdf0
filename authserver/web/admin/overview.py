"""The console's first page: what is unusual, how much there is, and what happened last."""

from dataclasses import asdict

from flask import render_template
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ...store.audit import AuditFilter
from ...store.overview import overview, shown
from ..deployment import deployment
from . import blueprint
from .access import needs

NEWEST = 8


@blueprint.get("")
@needs(Permission.OVERVIEW_READ)
def start() -> ResponseReturnValue:
    """The newest alerts, counts, and the newest events."""
    stores = deployment().stores
    events = stores.audit.page(AuditFilter(), None, NEWEST)
    alerts = stores.alerts.standing(None, NEWEST)
    counts = {name: shown(count) for name, count in asdict(overview(stores.database)).items()}
    return render_template("admin/overview.html", counts=counts, events=events, alerts=alerts)
