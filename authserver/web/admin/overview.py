"""The console's first page: how much there is, and what happened last."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...store.audit import AuditFilter
from ...store.overview import overview
from ..deployment import deployment
from . import blueprint

NEWEST = 8


@blueprint.get("")
def start() -> ResponseReturnValue:
    """Counts, and the newest events."""
    stores = deployment().stores
    events = stores.audit.page(AuditFilter(), None, NEWEST)
    return render_template("admin/overview.html", counts=overview(stores.database), events=events)
