"""What administrators decided on that rules have them decide on; what was approved is taken back here."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.msg import msg
from ...protocol.role import Permission
from ...store.pending_grants import PendingGrant, State
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

CHANGED = msg("Something else was approved for it since this page was shown. Nothing was done; look again.")
DECIDED = {state.value: state for state in (State.APPROVED, State.DENIED)}


@blueprint.get("/policies/requests")
@needs(Permission.POLICIES_READ)
def policy_requests() -> ResponseReturnValue:
    """What was approved, or denied; newest first. What waits is in the queue (`approvals`)."""
    search, only = Search.asked(), DECIDED.get(request.args.get("only", ""), State.APPROVED)
    page = deployment().stores.pending_grants.page(only, search.after, LINES)
    return render_template("admin/policy_requests.html", page=page, search=search, only=only, states=[*DECIDED])


@blueprint.get("/policies/request/withdraw")
@needs(Permission.APPROVALS_DECIDE)
def withdraw_request() -> ResponseReturnValue:
    """What taking back will do."""
    return render_template("admin/withdraw_request.html", line=_approved())


@blueprint.post("/policies/request/withdraw")
@needs(Permission.APPROVALS_DECIDE)
@form_of(withdraw_request)
def do_withdraw_request() -> ResponseReturnValue:
    """Take back all that was approved by it, if that is still what the page showed. Done twice, it is done."""
    found = _approved()
    seen, about = request.form.get("seen", "").split(), event("approval.withdrawn")
    if found.approved and not deployment().stores.pending_grants.withdraw(found.id, seen, about):
        return again(withdraw_request, CHANGED, 409)
    return redirect(url_for("admin.policy_requests"), 303)


def _approved() -> PendingGrant:
    found = deployment().stores.pending_grants.find(wanted_id())
    if found is None:
        raise NotFound
    return found
