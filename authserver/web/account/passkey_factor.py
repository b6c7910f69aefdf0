"""Adding a passkey: the page's script asks the browser to make one. It is the one thing here that needs a script."""

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...accounts.errors import WrongFactor
from ...protocol.amr import BY_PASSKEY
from ...protocol.msg import msg
from ...store.factors import PasskeyExists
from ..deployment import deployment
from ..headers import let_run_script
from ..languages import translated
from ..origin import origin
from ..signed_in import Visitor, freshly
from ..stale import form_of
from . import blueprint
from .factors import added, chosen_name, with_room

WRONG = msg("That did not work, and no passkey was added. Please try again.")


@blueprint.get("/account/security/factors/passkey")
@freshly
def add_passkey() -> ResponseReturnValue:
    """What it is, its name, and the button."""
    return _page(None)


@blueprint.post("/account/security/factors/passkey")
@freshly
@form_of(add_passkey)
def do_add_passkey() -> ResponseReturnValue:
    """Keep what the browser made; this session has used it."""
    person, sent = with_room(), request.form.get("credential", "")
    try:
        deployment().second_factors.passkeys.add(
            person.user, chosen_name(translated(msg("Passkey"))), sent, _purpose(person), origin()
        )
    except (WrongFactor, PasskeyExists):
        return make_response(_page(WRONG), 400)
    deployment().sessions.confirm(person.session, origin(), BY_PASSKEY)
    return added()


def _page(problem: str | None) -> str:
    person, passkeys = with_room(), deployment().second_factors.passkeys
    if not passkeys.are_possible:
        raise NotFound
    let_run_script()
    passkey = passkeys.to_add(person.user, _purpose(person))
    return render_template("account/add_passkey.html", passkey=passkey, problem=problem)


def _purpose(person: Visitor) -> str:
    return person.session.digest.hex()
