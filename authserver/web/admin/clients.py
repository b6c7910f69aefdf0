"""Clients: the apps that have registered; each can be suspended, or deleted with all that it was granted."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.client import Client
from ..deployment import deployment
from ..stale import form_of
from . import blueprint
from .listing import LINES, Search, event, wanted_id


@blueprint.get("/clients")
def clients() -> ResponseReturnValue:
    """All of them, newest first."""
    search = Search.asked()
    page = deployment().stores.clients.page(search.query, search.after, LINES)
    return render_template("admin/clients.html", page=page, search=search)


@blueprint.get("/client")
def client() -> ResponseReturnValue:
    """One client: what it says of itself, and its newest grants."""
    found = _client()
    grants = deployment().stores.grants.page(found.client_id, None, LINES)
    own = [grant for grant in grants if grant.client_id == found.client_id]
    return render_template("admin/client.html", client=found, grants=own)


@blueprint.get("/client/suspend")
def suspend_client() -> ResponseReturnValue:
    """What suspending, or its end, will do."""
    return render_template("admin/suspend_client.html", client=_client())


@blueprint.post("/client/suspend")
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
def delete_client() -> ResponseReturnValue:
    """What deleting will do."""
    return render_template("admin/delete_client.html", client=_client())


@blueprint.post("/client/delete")
@form_of(delete_client)
def do_delete_client() -> ResponseReturnValue:
    """Delete the client."""
    found = _client()
    deployment().stores.clients.delete(found.client_id, event("client.deleted"))
    return redirect(url_for("admin.clients"), 303)


def _client() -> Client:
    found = deployment().stores.clients.find_fresh(wanted_id())
    if found is None:
        raise NotFound
    return found
