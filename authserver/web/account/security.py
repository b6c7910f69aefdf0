"""A person's own security: password, mail address, and where they are signed in."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...store.remembered import RememberedListing
from ...store.sessions import SessionListing
from .. import signed_in, staying
from ..deployment import deployment
from ..listing import LINES, event, wanted_id
from ..signed_in import Visitor, freshly, required, the_visitor
from ..stale import form_of
from . import blueprint


@blueprint.get("/account/security")
@required
def security() -> ResponseReturnValue:
    """All of it."""
    person = the_visitor()
    sessions, stays = _sessions(person), {each.digest: each for each in _staying(person)}
    resting = staying.resting(person.user.id, sessions)
    return render_template("account/security.html", sessions=sessions, stays=stays, resting=resting, most=LINES)


@blueprint.get("/account/session/end")
@freshly
def end_own_session() -> ResponseReturnValue:
    """Which one, and what ending it will do."""
    found = _session(the_visitor())
    if found is None:
        raise NotFound
    return render_template("account/end_session.html", session=found)


@blueprint.post("/account/session/end")
@freshly
@form_of(end_own_session)
def do_end_own_session() -> ResponseReturnValue:
    """End it, if it is one's own. Done twice, it is done."""
    deployment().places.end(the_visitor().user.id, wanted_id(), LINES, event("session.ended"))
    return redirect(url_for("account.security"), 303)


@blueprint.get("/account/sessions/end")
@freshly
def end_other_sessions() -> ResponseReturnValue:
    """What ending all others will do."""
    person = the_visitor()
    sessions = _sessions(person)
    others = [line for line in sessions if line.digest != person.session.digest]
    resting = staying.resting(person.user.id, sessions)
    return render_template("account/end_sessions.html", others=[*others, *resting])


@blueprint.post("/account/sessions/end")
@freshly
@form_of(end_other_sessions)
def do_end_other_sessions() -> ResponseReturnValue:
    """End all of them, and give this one another secret."""
    signed_in.go_on_alone(the_visitor(), event("sessions.ended"))
    return redirect(url_for("account.security"), 303)


def _sessions(person: Visitor) -> tuple[SessionListing, ...]:
    return deployment().stores.sessions.of_user(person.user.id, LINES)


def _staying(person: Visitor) -> tuple[RememberedListing, ...]:
    return deployment().stores.remembered.of_user(person.user.id, LINES)


def _session(person: Visitor) -> SessionListing | RememberedListing | None:
    wanted = wanted_id()
    lines: list[SessionListing | RememberedListing] = [*_sessions(person), *_staying(person)]
    return next((line for line in lines if line.id == wanted), None)
