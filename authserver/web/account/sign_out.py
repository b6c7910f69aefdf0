"""Signing out."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from .. import next_page, signed_in
from ..stale import form_of
from . import blueprint, upstream


@blueprint.get("/sign-out")
def sign_out() -> ResponseReturnValue:
    """The question, for whoever comes here without pressing the button."""
    return render_template("sign_out.html") if signed_in.visitor() else redirect(url_for("account.signed_out"), 303)


@blueprint.post("/sign-out")
@form_of(sign_out)
def leave() -> ResponseReturnValue:
    """End the session; then back to where somebody else may sign in, if ``next`` says where."""
    onwards, elsewhere = next_page.wanted(), upstream.left()
    signed_in.end()
    if onwards:
        upstream.choose_anew()
        return redirect(next_page.to_sign_in(onwards), 303)
    return redirect(url_for("account.signed_out", at=elsewhere.id if elsewhere else None), 303)


@blueprint.get("/signed-out")
def signed_out() -> ResponseReturnValue:
    """That it is done; and how to sign out at the identity provider too, which keeps a session of its own."""
    return render_template("signed_out.html", way_out=upstream.way_out())
