"""The password once more, before a dangerous act: whoever found a browser open must not do it."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from .. import next_page
from ..deployment import deployment
from ..origin import origin
from ..signed_in import required, visitor
from ..stale import form_of
from . import blueprint, upstream
from .judgement import NotJudgedRight, judge

WRONG = "That is not your password."


@blueprint.get("/sign-in/again")
@required
def sign_in_again() -> ResponseReturnValue:
    """The form."""
    return render_template("sign_in_again.html", problem=None)


@blueprint.post("/sign-in/again")
@required
@form_of(sign_in_again)
def attempt_again() -> ResponseReturnValue:
    """Judge the password, with the delays that it costs at sign-in; a success goes on to the act's page."""
    person = visitor()
    if person is None:  # its session has ended since the request began
        return redirect(next_page.sign_in(), 303)
    if (elsewhere := upstream.asked_again(person)) is not None:
        return elsewhere
    try:
        judge(person.user.username, WRONG)
    except NotJudgedRight as refused:
        return refused.on(render_template("sign_in_again.html", problem=refused.problem))
    deployment().sessions.confirm(person.session, origin())
    return redirect(next_page.wanted() or url_for("account.door"), 303)
