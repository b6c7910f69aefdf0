"""A person is locked out, with an end to all that is theirs, or let in again; their sessions end, one or all."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.msg import msg
from ...protocol.role import Permission
from ...services.mass_revocation import let_in, lock_out
from ...store.grants import Whose
from ...store.sessions import SessionListing
from ...store.user import User
from ...store.users import LastOwner, StillEnding
from .. import staying
from ..deployment import deployment
from ..listing import LINES, event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs
from .grants_of import MOST_COUNTED, SECONDS
from .people import whom_to_act_on

LAST_OWNER = msg("This is the last owner who can sign in. Make somebody else an owner first.")
STILL_ENDING = msg("Very many grants of this person are still being ended. Press the button again in a moment.")


@blueprint.get("/person/disable")
@needs(Permission.PEOPLE_EDIT, fresh=True)
def disable_person() -> ResponseReturnValue:
    """What locking them out, or its end, will do."""
    found, stores = whom_to_act_on(), deployment().stores
    return render_template(
        "admin/disable_person.html",
        person=found,
        sessions=len(stores.sessions.of_user(found.id, LINES)),
        grants=stores.grants.count_live(Whose(user_id=found.id), MOST_COUNTED),
    )


@blueprint.post("/person/disable")
@needs(Permission.PEOPLE_EDIT, fresh=True)
@form_of(disable_person)
def do_disable_person() -> ResponseReturnValue:
    """Lock the person out, or let them in again, as the form says. Done twice, it is done."""
    found = whom_to_act_on()
    disable = request.form.get("disable") == "yes"
    about = event("user.disabled" if disable else "user.enabled")
    try:
        (lock_out if disable else let_in)(deployment().stores.users, found.id, about, SECONDS)
    except LastOwner:
        return again(disable_person, LAST_OWNER, 409)
    except StillEnding:
        return again(disable_person, STILL_ENDING, 409)
    return _back_to(found)


@blueprint.get("/session/end")
@needs(Permission.SESSIONS_END)
def end_session() -> ResponseReturnValue:
    """What ending it will do."""
    found = whom_to_act_on("user")
    session = _session(found)
    if session is None:
        raise NotFound
    return render_template("admin/end_session.html", person=found, session=session)


@blueprint.post("/session/end")
@needs(Permission.SESSIONS_END)
@form_of(end_session)
def do_end_session() -> ResponseReturnValue:
    """End it, if it is that person's. Done twice, it is done."""
    found = whom_to_act_on("user")
    session = _session(found)
    if session is not None:
        deployment().stores.sessions.end(session.digest, event("session.ended").about(user_id=found.id))
    return _back_to(found)


@blueprint.get("/sessions/end")
@needs(Permission.SESSIONS_END)
def end_sessions() -> ResponseReturnValue:
    """What ending all of them will do."""
    found = whom_to_act_on()
    sessions = deployment().stores.sessions.of_user(found.id, LINES)
    ended = [*sessions, *staying.resting(found.id, sessions)]
    return render_template("admin/end_sessions.html", person=found, sessions=ended)


@blueprint.post("/sessions/end")
@needs(Permission.SESSIONS_END)
@form_of(end_sessions)
def do_end_sessions() -> ResponseReturnValue:
    """End all sessions of the person. Done twice, it is done."""
    found = whom_to_act_on()
    deployment().interventions.end_sessions(found, event("sessions.ended"))
    return _back_to(found)


def _session(found: User) -> SessionListing | None:
    wanted = wanted_id()
    sessions = deployment().stores.sessions.of_user(found.id, LINES)
    return next((session for session in sessions if session.id == wanted), None)


def _back_to(found: User) -> ResponseReturnValue:
    return redirect(url_for("admin.person", id=found.id), 303)
