"""Clients: the apps that have registered. Each can be suspended, or deleted; for what waits see `approvals`."""

import time

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.client import Client, ClientKind
from ...protocol.credential import base64url
from ...protocol.msg import Filled, msg
from ...protocol.registry.recognition import recognise
from ...protocol.role import Permission
from ...protocol.trace.words import words_of
from ...services.client_history import arrival, revisions
from ...services.mass_revocation import few_left
from ...store.grants import Whose
from ...store.traces import TraceFilter
from ..deployment import deployment
from ..languages import translated
from ..listing import LINES, Search, event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

ONLY = ("waiting", "changed")
KINDS = {
    ClientKind.DYNAMIC: msg("dynamic"),
    ClientKind.METADATA_DOCUMENT: msg("metadata document"),
    ClientKind.PREREGISTERED: msg("preregistered"),
    ClientKind.RESOURCE_SERVER: msg("resource server"),
}
NEWEST = 5
MOST_GRANTS = 10_000
MOST_COUNTED = 1000  # clients that wait
SECONDS = 5.0  # after which a page answers how far it came
SO_FAR = msg("{} of its grants were revoked, and more are left. Press the button again to go on; then it is deleted.")


@blueprint.app_template_filter("kind")
def in_words(kind: ClientKind) -> str:
    """What *kind* of client it is, in the page's language."""
    return translated(KINDS[kind])


@blueprint.get("/clients")
@needs(Permission.CLIENTS_READ)
def clients() -> ResponseReturnValue:
    """All of them, those that wait for approval, or those whose changed document waits; newest first."""
    search = Search.asked()
    only = request.args.get("only") if request.args.get("only") in ONLY else None
    known = deployment().stores.clients
    page = known.page(search.query, search.after, LINES, waiting=only == "waiting", held=only == "changed")
    policies = deployment().policies
    return render_template(
        "admin/clients.html",
        page=page,
        search=search,
        only=only,
        waiting=known.waiting(MOST_COUNTED),
        verified={line.client.client_id for line in page if policies.through(line.client).verified},
    )


@blueprint.get("/client")
@needs(Permission.CLIENTS_READ)
def client() -> ResponseReturnValue:
    """One client: what it says and said of itself, what people are told of it, its newest grants and attempts."""
    found, stores = wanted_client(), deployment().stores
    grants = stores.grants.of_client(found.client_id, LINES)
    told = [(uri, recognise(found, uri)) for uri in found.redirect_uris]
    return render_template(
        "admin/client.html",
        client=found,
        grants=grants.lines,
        held=deployment().known_clients.held(found),
        told=told,
        last_used=stores.clients.last_used(found.client_id),
        arrival=arrival(stores.audit, found),
        revisions=revisions(stores.client_versions.of(found.client_id)),
        attempts=stores.traces.page(TraceFilter(failed=False, client_id=found.client_id), None, NEWEST).lines,
        alike=base64url(found.likeness),
        words_of=words_of,
        now=time.time(),
        known_clients=dict.fromkeys(identity.known for _, identity in told if identity.known),
    )


@blueprint.get("/client/suspend")
@needs(Permission.CLIENTS_EDIT)
def suspend_client() -> ResponseReturnValue:
    """What suspending, or its end, will do."""
    found = wanted_client()
    return render_template("admin/suspend_client.html", client=found, **_at_stake(found))


@blueprint.post("/client/suspend")
@needs(Permission.CLIENTS_EDIT)
@form_of(suspend_client)
def do_suspend_client() -> ResponseReturnValue:
    """Turn the client off, or on again, as the form says: sending it twice changes nothing more."""
    found = wanted_client()
    suspend = request.form.get("suspend") == "yes"
    if suspend != found.suspended:
        about = event("client.suspended" if suspend else "client.resumed").about(client_id=found.client_id)
        deployment().stores.clients.set_suspended(found.client_id, suspend, about)
    return redirect(url_for("admin.client", id=found.client_id), 303)


@blueprint.get("/client/delete")
@needs(Permission.CLIENTS_DELETE, fresh=True)
def delete_client() -> ResponseReturnValue:
    """What deleting will do."""
    found = wanted_client()
    return render_template("admin/delete_client.html", client=found, **_at_stake(found))


@blueprint.post("/client/delete")
@needs(Permission.CLIENTS_DELETE, fresh=True)
@form_of(delete_client)
def do_delete_client() -> ResponseReturnValue:
    """Delete the client; of one that has very many grants end most of them, for as long as a page may take."""
    found, stores = wanted_client(), deployment().stores
    ended, few = few_left(stores.grants, Whose(client_id=found.client_id), event("grants.revoked"), SECONDS)
    if not few:
        return again(delete_client, Filled(SO_FAR, ended), 200)
    stores.clients.delete(found.client_id, event("client.deleted"))
    return redirect(url_for("admin.clients"), 303)


def _at_stake(found: Client) -> dict[str, int]:
    """How many live grants an act reaches, and where counting them ended."""
    live = deployment().stores.grants.count_live(Whose(client_id=found.client_id), MOST_GRANTS)
    return {"live": live, "most": MOST_GRANTS}


def wanted_client() -> Client:
    """The client that the page is about. Raises `NotFound`."""
    found = deployment().stores.clients.find_fresh(wanted_id())
    if found is None:
        raise NotFound
    return found
