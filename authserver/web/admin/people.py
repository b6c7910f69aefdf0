"""People: who can sign in here, and of each what they may do, where they are signed in, and what they allowed."""

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.msg import msg
from ...protocol.role import Permission, Role
from ...store.audit import AuditFilter
from ...store.user import User
from ..deployment import deployment
from ..listing import LINES, Search, wanted_id
from ..problem import Problem, Refused
from ..signed_in import visitor
from . import blueprint
from .access import needs

NEWEST = 8
TOO_HIGH = Problem(
    msg("Only an owner does this"),
    msg("This person is an owner or an admin: only owners act on them."),
    (msg("Ask an owner of this server."),),
)


@blueprint.get("/people")
@needs(Permission.PEOPLE_READ)
def people() -> ResponseReturnValue:
    """All of them, newest first."""
    search = Search.asked()
    page = deployment().stores.users.page(search.query, search.after, LINES)
    return render_template("admin/people.html", page=page, search=search)


@blueprint.get("/person")
@needs(Permission.PEOPLE_READ)
def person() -> ResponseReturnValue:
    """One of them: role and state, sessions, live grants, and the newest events."""
    found, stores = whom(), deployment().stores
    return render_template(
        "admin/person.html",
        person=found,
        below=is_below(found),
        locked_for=deployment().sign_in.locked_for(found.username),
        groups=stores.groups.of(found.id),
        identities=stores.identities.of_user(found.id),
        sessions=stores.sessions.of_user(found.id, LINES),
        staying=stores.remembered.of_user(found.id, LINES),
        grants=stores.grants.for_user(found.id, LINES),
        events=stores.audit.page(AuditFilter(user_id=found.id), None, NEWEST),
        most=LINES,
    )


def whom(name: str = "id") -> User:
    """The person that the page is about, by the parameter *name*. Raises `NotFound`."""
    found = deployment().stores.users.find(wanted_id(name))
    if found is None:
        raise NotFound
    return found


def whom_to_act_on(name: str = "id") -> User:
    """The same for an act. Raises `Refused` for a person over whom the visitor's role does not stand."""
    found = whom(name)
    if not is_below(found):
        raise Refused(TOO_HIGH)
    return found


def is_below(found: User) -> bool:
    """Whether the visitor's role lets them act on that person."""
    return stands_over(found.role)


def stands_over(role: Role) -> bool:
    """Whether the visitor's role lets them act on people who have *role*, and give it."""
    actor = visitor()
    return actor is not None and actor.user.role.stands_over(role)
