"""Changing one's own password: the one until now, and a new one twice."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...protocol.msg import msg
from .. import signed_in
from ..deployment import deployment
from ..origin import origin
from ..signed_in import required, the_visitor
from ..stale import again, form_of
from . import blueprint
from .judgement import NotJudgedRight, judge
from .new_password import set_by
from .sign_in_again import WRONG

CHANGED = msg("Your password was changed elsewhere since this page was shown. Nothing was done.")


@blueprint.get("/account/password")
@required
def change_password() -> ResponseReturnValue:
    """The form, and what follows."""
    return render_template("account/change_password.html")


@blueprint.post("/account/password")
@required
@form_of(change_password)
def do_change_password() -> ResponseReturnValue:
    """Change it, with an end to all other sessions; this one begins anew."""
    return set_by(change_password, _change)


def _change(password: str) -> ResponseReturnValue:
    person = the_visitor()
    try:
        user = judge(person.user.username, WRONG)
    except NotJudgedRight as refused:
        return refused.on(again(change_password, refused.problem, refused.status))
    changed = deployment().own_account.change_password(user, password, origin())
    if changed is None:
        return again(change_password, CHANGED, 409)
    signed_in.renew(person, changed)
    return redirect(url_for("account.security"), 303)
