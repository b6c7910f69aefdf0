"""All grants of a person, to a client or at a server: how many there are, and their end."""

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.msg import Filled, msg
from ...protocol.role import Permission
from ...services.mass_revocation import revoke_all
from ...store.grants import Whose
from ..deployment import deployment
from ..listing import event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

MOST_COUNTED = 10_000
SECONDS = 5.0  # after which a page answers how far it came
SO_FAR = msg("{} grants were revoked, and more are left. Press the button again to go on.")


@dataclass(frozen=True, slots=True)
class Words:
    """What the page says of a kind of holder; ``after`` is what its grants' end leaves."""

    title: str
    question: str
    after: str


PERSON = Words(msg("Person"), msg("Revoke all grants of this person?"), msg("They stay signed in."))
CLIENT = Words(
    msg("Client"),
    msg("Revoke all grants of this client?"),
    msg("It may ask people again at once; suspend it if it must not."),
)
SERVER = Words(
    msg("Server"), msg("Revoke all grants of this server?"), msg("People may allow apps to use it again at once.")
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose grants: a person, a client or a server, with its name and the page to go back to."""

    whose: Whose
    words: Words
    name: str
    identifier: str
    page: str


@blueprint.get("/grants/revoke")
@needs(Permission.GRANTS_REVOKE_ALL, fresh=True)
def revoke_grants() -> ResponseReturnValue:
    """Whose they are, how many, and what revoking all of them will do."""
    holder = _holder()
    live = deployment().stores.grants.count_live(holder.whose, MOST_COUNTED)
    return render_template("admin/revoke_grants.html", holder=holder, live=live, most=MOST_COUNTED)


@blueprint.post("/grants/revoke")
@needs(Permission.GRANTS_REVOKE_ALL, fresh=True)
@form_of(revoke_grants)
def do_revoke_grants() -> ResponseReturnValue:
    """Revoke them, for as long as a page may take; then tell how many, if some are left."""
    holder, grants = _holder(), deployment().stores.grants
    ended = revoke_all(grants, holder.whose, event("grants.revoked"), SECONDS)
    if grants.count_live(holder.whose, 1):
        return again(revoke_grants, Filled(SO_FAR, ended), 200)
    return redirect(holder.page, 303)


def _holder() -> Holder:
    named = [name for name in HOLDERS if name in request.args]
    if len(named) != 1:
        raise NotFound
    found = HOLDERS[named[0]](wanted_id(named[0]))
    if found is None:
        raise NotFound
    return found


def _person(wanted: str) -> Holder | None:
    found = deployment().stores.users.find(wanted)
    if found is None:
        return None
    page = url_for("admin.person", id=found.id)
    return Holder(Whose(user_id=found.id), PERSON, found.display_name, found.username, page)


def _client(wanted: str) -> Holder | None:
    found = deployment().stores.clients.find_fresh(wanted)
    if found is None:
        return None
    page = url_for("admin.client", id=found.client_id)
    return Holder(Whose(client_id=found.client_id), CLIENT, found.name, found.client_id, page)


def _server(wanted: str) -> Holder | None:
    found = deployment().stores.resources.find(wanted)
    if found is None:
        return None
    page = url_for("admin.server", id=found.identifier)
    return Holder(Whose(resource=found.identifier), SERVER, found.name, found.identifier, page)


HOLDERS = {"user": _person, "client": _client, "server": _server}
