"""Domains of clients that name themselves by a URL: what an administrator decided about each, and all below it."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.domain import Decision, domain_of
from ...protocol.msg import msg
from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import event
from ..stale import again, form_of
from . import blueprint
from .access import needs

FORGET = "forget"
MEANS = {
    Decision.ALLOW: msg("vouch for its clients: people see them as verified"),
    Decision.ASK: msg("have each new client wait for approval"),
    Decision.DENY: msg("refuse its clients; what they were granted stays until it is revoked"),
}
NO_DOMAIN = msg("That is not a domain such as example.com. Nothing was done.")
NONE_CHOSEN = msg("Choose one of these.")
CHANGED = msg("This domain was decided about already, or since this page was shown. Nothing was done; look again.")


@blueprint.get("/domains")
@needs(Permission.POLICIES_READ)
def domains() -> ResponseReturnValue:
    """All that was decided, and what is done with all other domains."""
    found = deployment()
    otherwise = found.settings.metadata_document_domains
    decided = sorted(found.stores.domains.all().items())
    return render_template("admin/domains.html", decided=decided, otherwise=otherwise)


@blueprint.get("/domain")
@needs(Permission.POLICIES_EDIT, fresh=True)
def decide_domain() -> ResponseReturnValue:
    """The domain, and what can be decided about it."""
    name = request.form.get("domain", request.args.get("id", ""))
    seen = deployment().stores.domains.find(domain_of(name) or "")
    return render_template("admin/domain.html", domain=name, seen=seen or "", means=MEANS, forget=FORGET)


@blueprint.post("/domain")
@needs(Permission.POLICIES_EDIT, fresh=True)
@form_of(decide_domain)
def do_decide_domain() -> ResponseReturnValue:
    """Decide, or take the decision back, if nobody else decided since the page was shown."""
    name, chosen = domain_of(request.form.get("domain", "")), request.form.get("decision", "")
    if name is None:
        return again(decide_domain, NO_DOMAIN, 400)
    if chosen not in (*Decision, FORGET):
        return again(decide_domain, NONE_CHOSEN, 400)
    seen = request.form.get("seen", "")
    if seen not in ("", *Decision) or not _decide(name, Decision(seen) if seen else None, chosen):
        return again(decide_domain, CHANGED, 409)
    return redirect(url_for("admin.domains"), 303)


def _decide(name: str, seen: Decision | None, chosen: str) -> bool:
    """Whether that is so now: not if somebody decided since it was *seen*."""
    store = deployment().stores.domains
    if chosen == FORGET:
        forgotten = event("domain.forgotten").about(detail={"domain": name})
        return seen is not None and store.exchange(name, seen, None, forgotten)
    decided = event("domain.decided").about(detail={"domain": name, "decision": chosen})
    return store.exchange(name, seen, Decision(chosen), decided)
