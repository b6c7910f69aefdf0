"""Adding an authenticator app: its secret as a picture and as text, then the first code."""

import io

import segno
from flask import Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...accounts import one_time_codes
from ...protocol.amr import WITH_CODE
from ...protocol.msg import msg
from .. import next_page
from ..deployment import deployment
from ..languages import translated
from ..origin import origin
from ..signed_in import freshly
from ..stale import form_of
from . import blueprint
from .factors import added, chosen_name, whose, with_room

WRONG = msg("That is not the code that the app shows now. Look at its clock, and type the newest one.")
GROUP = 4  # characters of a secret that people read at once


@blueprint.get("/account/security/factors/app")
@freshly
def add_app() -> ResponseReturnValue:
    """How it is done, and its name."""
    with_room()
    return render_template("account/add_app.html")


@blueprint.post("/account/security/factors/app")
@freshly
@form_of(add_app)
def begin_app() -> ResponseReturnValue:
    """Make a secret for it."""
    deployment().second_factors.codes.begin_app(with_room().user, chosen_name(translated(msg("Authenticator app"))))
    return redirect(next_page.leading_to(next_page.wanted(), "account.confirm_app"), 303)


@blueprint.get("/account/security/factors/app/code")
@freshly
def confirm_app() -> ResponseReturnValue:
    """The secret, and the question for a code; from the start for whoever has begun with none."""
    return _page(None)


@blueprint.post("/account/security/factors/app/code")
@freshly
@form_of(confirm_app)
def do_confirm_app() -> ResponseReturnValue:
    """Judge the code; with the right one the app counts, and this session has used it."""
    person = with_room()
    if not deployment().second_factors.codes.confirm_app(person.user, request.form.get("code", ""), origin()):
        return make_response(_page(WRONG), 400)
    deployment().sessions.confirm(person.session, origin(), dict.fromkeys((*person.session.methods, *WITH_CODE)))
    return added()


@blueprint.get("/account/security/factors/app/picture.svg")
@freshly
def app_picture() -> ResponseReturnValue:
    """The secret as a QR code. Raises `NotFound` for whoever has begun with none."""
    person = whose()
    secret = deployment().second_factors.codes.secret_to_show(person.user)
    if secret is None:
        raise NotFound
    picture, address = io.BytesIO(), one_time_codes.address(secret, person.user.username, _site())
    segno.make(address, error="m").save(picture, kind="svg", scale=5, light="#fff", xmldecl=False)
    return Response(picture.getvalue(), mimetype="image/svg+xml")


def _page(problem: str | None) -> ResponseReturnValue:
    secret = deployment().second_factors.codes.secret_to_show(with_room().user)
    if secret is None:
        return redirect(next_page.leading_to(next_page.wanted(), "account.add_app"), 303)
    groups = [secret[start : start + GROUP] for start in range(0, len(secret), GROUP)]
    return render_template("account/confirm_app.html", groups=groups, problem=problem)


def _site() -> str:
    return deployment().settings.issuer.partition("://")[2]
