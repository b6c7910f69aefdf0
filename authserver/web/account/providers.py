"""Which identity providers open one's account: linking one, and unlinking it. Both take a fresh sign-in."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...accounts.letters import PROVIDER_UNLINKED
from ...protocol.audit import Event
from ...protocol.msg import msg
from ...services.upstream.sign_in import Wanted
from ...store.upstream_attempts import Purpose
from ...store.ways_in import LastWayIn
from ..deployment import deployment
from ..origin import origin
from ..signed_in import freshly, required, the_visitor
from ..stale import form_of
from . import blueprint, upstream
from .ways_in import ways

LAST = msg(
    "It is the only way into your account: link another provider, add a passkey, or have a password set, before you "
    "unlink it."
)


@blueprint.get("/account/security/providers")
@required
@freshly
def providers() -> ResponseReturnValue:
    """Those that are linked, and those that may be."""
    return _page()


@blueprint.post("/account/security/providers")
@required
@freshly
@form_of(providers)
def change_providers() -> ResponseReturnValue:
    """Off to the provider that is to be linked; or unlink one."""
    person = the_visitor()
    found = deployment().upstream.upstreams.get(request.form.get("link", ""))
    if found is not None:
        here = url_for("account.providers")
        return upstream.depart(found, Wanted(here, Purpose.LINK, person.session))
    issuer, subject = request.form.get("issuer", ""), request.form.get("subject", "")
    event = Event("identity.unlinked", f"user:{person.user.id}", origin(), detail={"issuer": issuer})
    try:
        letter = deployment().own_account.letters.way_in_changed(person.user, PROVIDER_UNLINKED, origin())
        deployment().stores.identities.unlink(person.user.id, issuer, subject, ways(), event, letter)
    except LastWayIn:
        return _page(LAST), 409
    return redirect(url_for("account.providers"), 303)


def _page(problem: str = "") -> str:
    linked = deployment().stores.identities.of_user(the_visitor().user.id)
    known = {each.home: each for each in deployment().upstream.upstreams.values()}
    others = [each for home, each in known.items() if home not in {one.issuer for one in linked}]
    return render_template("account/providers.html", linked=linked, known=known, others=others, problem=problem)
