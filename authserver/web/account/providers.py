"""Which identity providers open one's account: linking one, and unlinking it. Both take a fresh sign-in."""

from collections.abc import Callable
from functools import wraps

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.audit import Event
from ...services.upstream.sign_in import Wanted
from ...store.identities import LastWayIn
from ...store.upstream_attempts import Purpose
from .. import next_page
from ..deployment import deployment
from ..origin import origin
from ..signed_in import View, Visitor, visitor
from ..stale import form_of
from . import blueprint, upstream

LAST = "It is the only way into your account: link another provider, or have a password set, before you unlink it."


def fresh(view: Callable[[Visitor], ResponseReturnValue]) -> View:
    """*view* for whoever is signed in and proved lately who they are; others are sent to do so."""

    @wraps(view)
    def guarded() -> ResponseReturnValue:
        person = visitor()
        if person is None:
            return redirect(next_page.sign_in(), 303)
        if person.session.auth_age > deployment().settings.fresh_sign_in:
            return redirect(next_page.to_sign_in_again(), 303)
        return view(person)

    return guarded


@blueprint.get("/account/security/providers")
@fresh
def providers(person: Visitor) -> ResponseReturnValue:
    """Those that are linked, and those that may be."""
    return _page(person)


@blueprint.post("/account/security/providers")
@form_of(providers)
@fresh
def change_providers(person: Visitor) -> ResponseReturnValue:
    """Off to the provider that is to be linked; or unlink one."""
    found = deployment().upstream.upstreams.get(request.form.get("link", ""))
    if found is not None:
        here = url_for("account.providers")
        return upstream.depart(found, Wanted(here, Purpose.LINK, person.session))
    issuer, subject = request.form.get("issuer", ""), request.form.get("subject", "")
    event = Event("identity.unlinked", f"user:{person.user.id}", origin(), detail={"issuer": issuer})
    try:
        deployment().stores.identities.unlink(person.user.id, issuer, subject, event)
    except LastWayIn:
        return _page(person, LAST), 409
    return redirect(url_for("account.providers"), 303)


def _page(person: Visitor, problem: str = "") -> str:
    linked = deployment().stores.identities.of_user(person.user.id)
    known = {each.home: each for each in deployment().upstream.upstreams.values()}
    others = [each for home, each in known.items() if home not in {one.issuer for one in linked}]
    return render_template("account/providers.html", linked=linked, known=known, others=others, problem=problem)
