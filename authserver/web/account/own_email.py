"""The mail address of one's own: it is theirs once they have followed the link that was mailed there, signed in.

Signed in, or whoever types somebody else's address would have that person make it theirs.
"""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...accounts.errors import TooManyAttempts
from ...protocol.mail_address import NoMailAddress
from ...protocol.msg import msg
from ...store.account_links import Purpose
from ...store.users import EmailTaken
from .. import mailed_link
from ..deployment import deployment
from ..origin import origin
from ..signed_in import freshly, required, the_visitor
from ..stale import again, form_of
from . import blueprint
from .forgotten import NO_ADDRESS
from .judgement import too_many

TAKEN = msg("Another account here has this address. Nothing was changed.")


@blueprint.get("/account/email")
@required
@freshly
def change_email() -> ResponseReturnValue:
    """Which address, and what follows."""
    return render_template("account/change_email.html", sends_mail=deployment().settings.sends_mail)


@blueprint.post("/account/email")
@required
@freshly
@form_of(change_email)
def do_change_email() -> ResponseReturnValue:
    """Mail a link to the address; nothing is changed before it is followed."""
    try:
        deployment().own_account.change_email(the_visitor().user, request.form.get("email", ""), origin())
    except NoMailAddress:
        return again(change_email, NO_ADDRESS, 400)
    except TooManyAttempts as delayed:
        return too_many(change_email, delayed)
    return redirect(url_for("account.email_to_confirm"), 303)


@blueprint.get("/account/email/sent")
@required
def email_to_confirm() -> ResponseReturnValue:
    """What comes now."""
    return render_template("account/email_sent.html", lifetime=deployment().settings.account_link_lifetime)


@blueprint.get("/account/email/confirm")
@mailed_link.opened
@required
def confirm_email() -> ResponseReturnValue:
    """Whose address it will be."""
    found = deployment().own_account.find(mailed_link.secret(), Purpose.EMAIL)
    if found is None or found.user.id != the_visitor().user.id:
        return mailed_link.dead()
    return render_template("account/confirm_email.html", email=found.email)


@blueprint.post("/account/email/confirm")
@required
@form_of(confirm_email)
def do_confirm_email() -> ResponseReturnValue:
    """Make it theirs."""
    try:
        confirmed = deployment().own_account.confirm_email(mailed_link.secret(), the_visitor().user, origin())
    except EmailTaken:
        return again(confirm_email, TAKEN, 409)
    return mailed_link.used(redirect(url_for("account.security"), 303)) if confirmed else mailed_link.dead()
