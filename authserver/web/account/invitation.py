"""Accepting an invitation: a password is chosen, and the account is there."""

from contextlib import suppress

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...accounts.errors import WrongCredentials
from ...protocol.msg import msg
from ...store.users import EmailTaken, UserExists
from .. import mailed_link, signed_in
from ..deployment import deployment
from ..origin import origin
from ..stale import again, form_of
from . import blueprint
from .new_password import set_by

TAKEN = msg("Somebody here has this user name or mail address by now. Nothing was made: ask whoever invited you.")


@blueprint.get("/account/invitation")
@mailed_link.opened
def invitation() -> ResponseReturnValue:
    """To what, and as whom."""
    found = deployment().invitations.find(mailed_link.secret())
    return render_template("account/invitation.html", invitation=found) if found else mailed_link.dead()


@blueprint.post("/account/invitation")
@form_of(invitation)
def accept_invitation() -> ResponseReturnValue:
    """Make the account, and sign its person in."""
    return set_by(invitation, _accept)


def _accept(password: str) -> ResponseReturnValue:
    try:
        user = deployment().invitations.accept(mailed_link.secret(), password, origin())
    except (UserExists, EmailTaken):
        return again(invitation, TAKEN, 409)
    if user is None:
        return mailed_link.dead()
    with suppress(WrongCredentials):  # disabled in this instant: the door asks to sign in
        signed_in.begin(user)
    return mailed_link.used(redirect(url_for("account.door"), 303))
