"""A new secret for a client, shown once; the one until now stays good for a while (CR-12)."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol import credential
from ...protocol.client import Client
from ...protocol.msg import msg
from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import event
from ..stale import again, form_of
from . import blueprint
from .access import needs
from .clients import wanted_client

OVERLAPS = {
    86_400: msg("stays good for a day"),
    604_800: msg("stays good for a week"),
    3600: msg("stays good for an hour"),
    0: msg("ends at once"),
}
CHANGED = msg("The client has got another secret since this page was shown, so nothing was done. Look again.")
NONE_CHOSEN = msg("Choose how long the secret until now stays good.")


@blueprint.get("/client/secret")
@needs(Permission.CLIENTS_SECRETS, fresh=True)
def client_secret() -> ResponseReturnValue:
    """What a new secret will do; the form carries which secret was the last one."""
    found = _client()
    return render_template("admin/client_secret.html", client=found, overlaps=OVERLAPS, seen=found.secret_mark)


@blueprint.post("/client/secret")
@needs(Permission.CLIENTS_SECRETS, fresh=True)
@form_of(client_secret)
def do_client_secret() -> ResponseReturnValue:
    """Make it and show it, if nobody else has made one meanwhile: sending the form again changes nothing more."""
    found, overlap = _client(), request.form.get("overlap", "")
    if overlap not in map(str, OVERLAPS):
        return again(client_secret, NONE_CHOSEN, 400)
    secret = credential.mint(credential.Prefix.CLIENT_SECRET)
    if request.form.get("seen") != found.secret_mark or not _rotate(found, secret, int(overlap)):
        return again(client_secret, CHANGED, 409)
    return render_template("admin/new_secret.html", client=found, secret=secret, ending=OVERLAPS[int(overlap)])


def _rotate(found: Client, secret: str, overlap: int) -> bool:
    told = event("client.secret_rotated").about(client_id=found.client_id, detail={"overlap": overlap})
    digest = credential.digest(secret)
    return deployment().stores.clients.rotate_secret(
        found.client_id, digest, overlap, told, until_now=found.secret_digest
    )


def _client() -> Client:
    """The client, if it has a secret. Raises `NotFound`."""
    found = wanted_client()
    if found.secret_digest is None:
        raise NotFound
    return found
