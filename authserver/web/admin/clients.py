"""Clients: the apps that have registered. Each can be approved or refused if it waits, suspended, or deleted."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.client import Client
from ...protocol.registry.recognition import recognise
from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

CHANGED = "The client has changed what it says of itself since this page was shown, so it was not approved. Look again."
MOST_COUNTED = 1000  # clients that wait


@blueprint.get("/clients")
@needs(Permission.CLIENTS_READ)
def clients() -> ResponseReturnValue:
    """All of them, or those that wait for approval, newest first."""
    search = Search.asked()
    only = "waiting" if request.args.get("only") == "waiting" else None
    known = deployment().stores.clients
    page = known.page(search.query, search.after, LINES, waiting=only is not None)
    return render_template(
        "admin/clients.html", page=page, search=search, only=only, waiting=known.waiting(MOST_COUNTED)
    )


@blueprint.get("/client")
@needs(Permission.CLIENTS_READ)
def client() -> ResponseReturnValue:
    """One client: what it says of itself, what people are told of it, and its newest grants."""
    found = _client()
    grants = deployment().stores.grants.of_client(found.client_id, LINES)
    told = [(uri, recognise(found, uri)) for uri in found.redirect_uris]
    return render_template(
        "admin/client.html",
        client=found,
        grants=grants.lines,
        held=deployment().known_clients.held(found),
        told=told,
        known_clients=dict.fromkeys(identity.known for _, identity in told if identity.known),
    )


@blueprint.get("/client/approve")
@needs(Permission.CLIENTS_APPROVE)
def approve_client() -> ResponseReturnValue:
    """What approving will do, and whom: what the form carries is what was seen."""
    return render_template("admin/approve_client.html", client=_waiting_client())


@blueprint.post("/client/approve")
@needs(Permission.CLIENTS_APPROVE)
@form_of(approve_client)
def do_approve_client() -> ResponseReturnValue:
    """Let the client act, if it still is what the page showed."""
    found = _waiting_client()
    seen = request.form.get("seen") == found.identity.hex()
    if not seen or not deployment().stores.clients.approve(found.client_id, found.identity, event("client.approved")):
        return again(approve_client, CHANGED, 409)
    return redirect(url_for("admin.client", id=found.client_id), 303)


@blueprint.get("/client/refuse")
@needs(Permission.CLIENTS_APPROVE)
def refuse_client() -> ResponseReturnValue:
    """What refusing will do."""
    return render_template("admin/refuse_client.html", client=_waiting_client())


@blueprint.post("/client/refuse")
@needs(Permission.CLIENTS_APPROVE)
@form_of(refuse_client)
def do_refuse_client() -> ResponseReturnValue:
    """Refuse the client."""
    deployment().stores.clients.refuse(_waiting_client().client_id, event("client.refused"))
    return redirect(url_for("admin.clients", only="waiting"), 303)


@blueprint.get("/client/suspend")
@needs(Permission.CLIENTS_EDIT)
def suspend_client() -> ResponseReturnValue:
    """What suspending, or its end, will do."""
    return render_template("admin/suspend_client.html", client=_client())


@blueprint.post("/client/suspend")
@needs(Permission.CLIENTS_EDIT)
@form_of(suspend_client)
def do_suspend_client() -> ResponseReturnValue:
    """Turn the client off, or on again, as the form says: sending it twice changes nothing more."""
    found = _client()
    suspend = request.form.get("suspend") == "yes"
    if suspend != found.suspended:
        about = event("client.suspended" if suspend else "client.resumed").about(client_id=found.client_id)
        deployment().stores.clients.set_suspended(found.client_id, suspend, about)
    return redirect(url_for("admin.client", id=found.client_id), 303)


@blueprint.get("/client/delete")
@needs(Permission.CLIENTS_DELETE, fresh=True)
def delete_client() -> ResponseReturnValue:
    """What deleting will do."""
    return render_template("admin/delete_client.html", client=_client())


@blueprint.post("/client/delete")
@needs(Permission.CLIENTS_DELETE, fresh=True)
@form_of(delete_client)
def do_delete_client() -> ResponseReturnValue:
    """Delete the client."""
    found = _client()
    deployment().stores.clients.delete(found.client_id, event("client.deleted"))
    return redirect(url_for("admin.clients"), 303)


def _waiting_client() -> Client:
    found = _client()
    if not found.pending:
        raise NotFound
    return found


def _client() -> Client:
    found = deployment().stores.clients.find_fresh(wanted_id())
    if found is None:
        raise NotFound
    return found
