"""Alerts: what looked unusual, until somebody has seen it."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.role import Permission
from ...store.alerts import AlertListing
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import form_of
from . import blueprint
from .access import needs


@blueprint.get("/alerts")
@needs(Permission.ALERTS_READ)
def alerts() -> ResponseReturnValue:
    """All that nobody has dismissed, the critical ones first."""
    search = Search.asked()
    page = deployment().stores.alerts.standing(search.after, LINES)
    return render_template("admin/alerts.html", page=page, search=search)


@blueprint.get("/alert/dismiss")
@needs(Permission.ALERTS_DISMISS)
def dismiss_alert() -> ResponseReturnValue:
    """What dismissing will do."""
    return render_template("admin/dismiss_alert.html", alert=_alert())


@blueprint.post("/alert/dismiss")
@needs(Permission.ALERTS_DISMISS)
@form_of(dismiss_alert)
def do_dismiss_alert() -> ResponseReturnValue:
    """Take it off the lists, with all older ones of its kind if that was asked for. Done twice, it is done."""
    alerts = deployment().stores.alerts
    dismiss = alerts.dismiss_until if request.form.get("older") else alerts.dismiss
    dismiss(wanted_id(), event("alert.dismissed"))
    return redirect(url_for("admin.start"), 303)


def _alert() -> AlertListing:
    found = deployment().stores.alerts.find(wanted_id())
    if found is None:
        raise NotFound
    return found
