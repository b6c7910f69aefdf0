"""The approval queue: all that waits for a decision, of whatever kind. Whoever comes second is told who came first."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.msg import Filled, msg
from ...protocol.role import Permission
from ...services.approvals.kind import Request
from ...store.audit import AuditListing
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import again, form_of
from ..words import moment
from . import blueprint
from .access import needs

CHANGED = msg("It has changed since this page was shown, so nothing was done. Look again.")
NOTHING = msg("Nothing waits under this id.")
OWN = msg("This is your own request: somebody else has to decide on it.")
MOST_COUNTED = 1000
DECIDED = {
    "client.approved": msg("Nothing was done: {} approved it at {} (UTC)."),
    "client.changed": msg("Nothing was done: {} let the change in at {} (UTC)."),
    "client.refused": msg("Nothing was done: {} denied it at {} (UTC)."),
    "client.change_refused": msg("Nothing was done: {} denied the change at {} (UTC)."),
    "client.approval_expired": msg("Nothing was done: {} ended it, as its time was over at {} (UTC)."),
    "client.change_expired": msg("Nothing was done: {} ended the change, as its time was over at {} (UTC)."),
}
OF_THE_API = Filled(msg("a client of the API"))
BY_ITSELF = Filled(msg("this server, or a command,"))


@blueprint.get("/approvals")
@needs(Permission.APPROVALS_READ)
def approvals() -> ResponseReturnValue:
    """What waits, of one kind, newest first; and how much there is of each."""
    search, kinds = Search.asked(), deployment().approvals.kinds
    chosen = deployment().approvals.kind(request.args.get("kind", "")) or kinds[0]
    page = chosen.page(search.after, LINES)
    counts = [(kind, kind.count(MOST_COUNTED)) for kind in kinds]
    return render_template("admin/approvals.html", page=page, search=search, chosen=chosen, counts=counts)


@blueprint.get("/approval/approve")
@needs(Permission.APPROVALS_DECIDE, fresh=True)
def approve() -> ResponseReturnValue:
    """What approving will do, and what: the form carries what was seen."""
    return _question("admin/approve.html")


@blueprint.post("/approval/approve")
@needs(Permission.APPROVALS_DECIDE, fresh=True)
@form_of(approve)
def do_approve() -> ResponseReturnValue:
    """Let it in, if it still is what the page showed."""
    found = _waiting()
    if found is None:
        return _too_late(409)
    seen = request.form.get("seen") == found.seen
    if not seen or not deployment().approvals.approve(found, event("approval.approved")):
        return again(approve, CHANGED, 409) if _waiting() else _too_late(409)
    return redirect(url_for("admin.client", id=found.client_id), 303)


@blueprint.get("/approval/deny")
@needs(Permission.APPROVALS_DECIDE)
def deny() -> ResponseReturnValue:
    """What denying will do."""
    return _question("admin/deny.html")


@blueprint.post("/approval/deny")
@needs(Permission.APPROVALS_DECIDE)
@form_of(deny)
def do_deny() -> ResponseReturnValue:
    """Refuse it."""
    found = _waiting()
    if found is None:
        return _too_late(409)
    if request.form.get("seen") != found.seen:
        return again(deny, CHANGED, 409)
    if not deployment().approvals.deny(found, event("approval.denied")):
        return again(deny, CHANGED, 409) if _waiting() else _too_late(409)
    return redirect(url_for("admin.approvals", kind=found.kind), 303)


def _question(template: str) -> ResponseReturnValue:
    found = _waiting()
    if found is None:
        return _too_late(404)
    own = found.is_own(event("approval.decided"))
    return again(approvals, OWN, 403) if own else render_template(template, asked=found)


def _waiting() -> Request | None:
    return deployment().approvals.find(request.args.get("kind", ""), wanted_id())


def _too_late(status: int) -> ResponseReturnValue:
    """The queue, with a word about who decided."""
    decision = deployment().approvals.decision(wanted_id())
    return again(approvals, _in_words(decision) if decision else NOTHING, status)


def _in_words(decision: AuditListing) -> str:
    role, _, user_id = decision.event.actor.partition(":")
    user = deployment().stores.users.find(user_id) if role == "user" else None
    who = user.username if user else OF_THE_API if role == "client" else BY_ITSELF
    return Filled(DECIDED[decision.event.name], who, moment(decision.at_ms / 1000))
