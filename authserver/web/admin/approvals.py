"""Approvals: what people want and a rule has an administrator decide on."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.role import Permission
from ...store.pending_grants import PendingGrant, State
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

CHANGED = "This request has changed, was decided, or has expired since this page was shown. Nothing was done."
STATES = {state.value: state for state in State}


@blueprint.get("/approvals")
@needs(Permission.GRANTS_READ)
def approvals() -> ResponseReturnValue:
    """Requests that wait, or that were decided; newest first."""
    search, only = Search.asked(), STATES.get(request.args.get("only", ""), State.WAITING)
    page = deployment().stores.pending_grants.page(only, search.after, LINES)
    return render_template("admin/approvals.html", page=page, search=search, only=only, states=list(State))


@blueprint.get("/approval/approve")
@needs(Permission.GRANTS_APPROVE)
def approve_request() -> ResponseReturnValue:
    """What approving will do."""
    return render_template("admin/approve_request.html", line=_request())


@blueprint.post("/approval/approve")
@needs(Permission.GRANTS_APPROVE)
@form_of(approve_request)
def do_approve_request() -> ResponseReturnValue:
    """Approve what the page showed, if it still waits."""
    return _decide(State.APPROVED)


@blueprint.get("/approval/deny")
@needs(Permission.GRANTS_APPROVE)
def deny_request() -> ResponseReturnValue:
    """What a no, or taking back what was approved, will do."""
    return render_template("admin/deny_request.html", line=_request())


@blueprint.post("/approval/deny")
@needs(Permission.GRANTS_APPROVE)
@form_of(deny_request)
def do_deny_request() -> ResponseReturnValue:
    """Say no to what waits; take back what was approved. Done twice, it is done."""
    found = _request()
    if found.state is State.WAITING:
        return _decide(State.DENIED)
    deployment().stores.pending_grants.withdraw(found.id, event("approval.withdrawn"))
    return redirect(url_for("admin.approvals", only=State.APPROVED.value), 303)


def _decide(state: State) -> ResponseReturnValue:
    found, is_yes = _request(), state is State.APPROVED
    seen = tuple(request.form.get("seen", "").split())
    about = event("approval.given" if is_yes else "approval.refused")
    if not deployment().stores.pending_grants.decide(found.id, seen, state, about):
        return again(approve_request if is_yes else deny_request, CHANGED, 409)
    return redirect(url_for("admin.approvals"), 303)


def _request() -> PendingGrant:
    found = deployment().stores.pending_grants.find(wanted_id())
    if found is None:
        raise NotFound
    return found
