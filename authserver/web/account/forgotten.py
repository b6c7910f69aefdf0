"""A forgotten password: a link by mail, to whoever the address belongs to; the page says the same to everyone."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...accounts.errors import TooManyAttempts
from ...protocol.mail_address import NoMailAddress
from ...protocol.msg import msg
from ...store.account_links import Purpose
from .. import languages, mailed_link
from ..deployment import deployment
from ..origin import origin
from ..stale import again, form_of
from . import blueprint
from .judgement import too_many
from .new_password import set_by

NO_ADDRESS = msg("That is no e-mail address, such as kim@example.com.")


@blueprint.get("/account/forgotten")
def forgotten() -> ResponseReturnValue:
    """Where to send the link; or whom to ask, where no mail is sent."""
    return render_template("account/forgotten.html", sends_mail=deployment().settings.sends_mail)


@blueprint.post("/account/forgotten")
@form_of(forgotten)
def send_link() -> ResponseReturnValue:
    """Have it sent."""
    if not deployment().settings.sends_mail:
        return redirect(url_for("account.forgotten"), 303)
    try:
        deployment().own_account.forgot(request.form.get("email", ""), origin(), languages.wanted())
    except NoMailAddress:
        return again(forgotten, NO_ADDRESS, 400)
    except TooManyAttempts as delayed:
        return too_many(forgotten, delayed)
    return redirect(url_for("account.link_sent"), 303)


@blueprint.get("/account/forgotten/sent")
def link_sent() -> ResponseReturnValue:
    """What comes now, if the address belongs to somebody."""
    return render_template("account/link_sent.html", lifetime=deployment().settings.account_link_lifetime)


@blueprint.get("/account/reset")
@mailed_link.opened
def reset_password() -> ResponseReturnValue:
    """Whose password it is."""
    found = deployment().own_account.find(mailed_link.secret(), Purpose.RESET)
    return render_template("account/reset.html", person=found.user) if found else mailed_link.dead()


@blueprint.post("/account/reset")
@form_of(reset_password)
def do_reset_password() -> ResponseReturnValue:
    """Set the new one. Whoever knows it signs in with it: nobody is signed in by a mail alone."""
    return set_by(reset_password, _reset)


@blueprint.get("/account/reset/done")
def password_is_reset() -> ResponseReturnValue:
    """That it is done."""
    return render_template("account/reset_done.html")


def _reset(password: str) -> ResponseReturnValue:
    if not deployment().own_account.reset(mailed_link.secret(), password, origin()):
        return mailed_link.dead()
    return mailed_link.used(redirect(url_for("account.password_is_reset"), 303))
