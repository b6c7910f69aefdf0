"""Invitations: who may make an account, of which role; made, looked through, and taken back."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.mail_address import NoMailAddress
from ...protocol.msg import OWN_NAMES, Filled, msg
from ...protocol.role import Permission, Role
from ...protocol.user_name import UserNameRefused
from ...store.invitations import Invitation
from ...store.users import EmailTaken, UserExists
from .. import languages
from ..deployment import deployment
from ..listing import event, wanted_id
from ..problem import Refused
from ..signed_in import the_visitor
from ..stale import again, form_of
from . import blueprint
from .access import needs
from .people import TOO_HIGH, stands_over
from .roles import NONE_CHOSEN, to_give

MOST_SHOWN = 200
NOT_INVITED = msg("Nobody was invited: {}.")


@blueprint.get("/invitations")
@needs(Permission.PEOPLE_READ)
def invitations() -> ResponseReturnValue:
    """Those that nobody accepted yet."""
    found = deployment().stores.invitations.open(MOST_SHOWN)
    return render_template("admin/invitations.html", invitations=found, most=MOST_SHOWN, stands_over=stands_over)


@blueprint.get("/people/invite")
@needs(Permission.PEOPLE_INVITE, fresh=True)
def invite() -> ResponseReturnValue:
    """Whom, and as what; with what was typed if it comes again."""
    sends_mail = deployment().settings.sends_mail
    return render_template(
        "admin/invite.html",
        typed=request.form,
        roles=to_give(),
        chosen=request.form.get("role", Role.MEMBER),
        sends_mail=sends_mail,
        languages=OWN_NAMES,
        language=request.form.get("language", languages.wanted()),
    )


@blueprint.post("/people/invite")
@needs(Permission.PEOPLE_INVITE, fresh=True)
@form_of(invite)
def do_invite() -> ResponseReturnValue:
    """Mail the link; where no mail is sent, show it this once."""
    typed = {name: request.form.get(name, "") for name in ("username", "display_name", "role", "email")}
    if typed["role"] not in to_give():
        return again(invite, NONE_CHOSEN, 400)
    role = Role(typed["role"])
    try:
        link = deployment().invitations.invite(
            typed["username"],
            typed["display_name"],
            role,
            typed["email"],
            event("user.invited"),
            the_visitor().user.role,
            request.form.get("language"),
        )
    except (UserNameRefused, NoMailAddress) as refused:
        return again(invite, Filled(NOT_INVITED, str(refused)), 400)
    except (UserExists, EmailTaken) as taken:
        return again(invite, Filled(NOT_INVITED, str(taken)), 409)
    if link is None:
        return redirect(url_for("admin.invitations"), 303)
    lifetime = deployment().settings.invitation_lifetime
    return render_template("admin/invited.html", username=typed["username"], link=link, days=lifetime // 86_400)


@blueprint.get("/invitation/withdraw")
@needs(Permission.PEOPLE_INVITE)
def withdraw_invitation() -> ResponseReturnValue:
    """Which, and what taking it back will do."""
    found = _invitation()
    if found is None:
        raise NotFound
    return render_template("admin/withdraw_invitation.html", invitation=found)


@blueprint.post("/invitation/withdraw")
@needs(Permission.PEOPLE_INVITE)
@form_of(withdraw_invitation)
def do_withdraw_invitation() -> ResponseReturnValue:
    """Take it back. Done twice, it is done."""
    if _invitation() is not None:
        deployment().stores.invitations.withdraw(wanted_id(), event("user.invitation_withdrawn"))
    return redirect(url_for("admin.invitations"), 303)


def _invitation() -> Invitation | None:
    """The one that the page is about. Raises `Refused` for a role over which the visitor's does not stand."""
    found = deployment().stores.invitations.by_id(wanted_id())
    if found is not None and not stands_over(found.role):
        raise Refused(TOO_HIGH)
    return found
