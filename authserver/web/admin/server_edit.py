"""What an administrator says of an MCP server: its name, its other addresses, and the form of its tokens."""

from dataclasses import replace

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol import catalogue, credential
from ...protocol.msg import Filled, listed, msg
from ...protocol.resource import Resource, SigningAlgorithm, TokenFormat, canonical
from ...protocol.role import Permission
from ...services.desired_state import difference
from ...store.resources import AlreadyRegistered
from ..deployment import deployment
from ..listing import event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

CHANGED = msg("Somebody else has changed this server since this page was shown. Nothing was saved; look again.")
TAKEN = msg("One of these addresses means another server already. Nothing was saved.")
NOT_SAVED = msg("Nothing was saved. {}")
FORMATS = {
    TokenFormat.JWT: msg("JWT: the server judges them by itself"),
    TokenFormat.OPAQUE: msg("opaque: the server asks here about each of them"),
}


@blueprint.get("/server/edit")
@needs(Permission.SERVERS_EDIT, fresh=True, typed=True)
def edit_server() -> ResponseReturnValue:
    """The form, with what was typed if it comes again."""
    found, typed = server_now(), request.form
    return render_template(
        "admin/edit_server.html",
        resource=found,
        name=typed.get("name", found.name),
        aliases=typed.get("aliases", "\n".join(found.aliases)),
        token_format=typed.get("token_format", found.token_format),
        formats=FORMATS,
        signing_algorithm=typed.get("signing_algorithm", found.signing_algorithm or ""),
        algorithms=[*SigningAlgorithm],
        usual=deployment().settings.access_token_algorithm,
        seen=state_of(found),
    )


@blueprint.post("/server/edit")
@needs(Permission.SERVERS_EDIT, fresh=True, typed=True)
@form_of(edit_server)
def do_edit_server() -> ResponseReturnValue:
    """Save it, if nobody else has changed the server meanwhile."""
    found = server_now()
    if request.form.get("seen") != state_of(found):
        return again(edit_server, CHANGED, 409)
    written = _written(found)
    if wrong := list(catalogue.flaws(written, deployment().settings.issuer)):
        told = listed("{}; {}", [*map(str, wrong)])
        return again(edit_server, Filled(NOT_SAVED, told), 400)
    after = replace(
        written, aliases=tuple(sorted(set(map(canonical, written.aliases)) - {canonical(found.identifier)}))
    )
    try:
        saved = deployment().stores.resources.exchange(found, after, event("resource.edited"))
    except AlreadyRegistered:
        return again(edit_server, TAKEN, 409)
    if not saved:
        return again(edit_server, CHANGED, 409)
    return redirect(url_for("admin.server", id=found.identifier), 303)


def _written(found: Resource) -> Resource:
    said = request.form.get("token_format", "")
    algorithm = request.form.get("signing_algorithm", found.signing_algorithm or "")
    return replace(
        found,
        name=request.form.get("name", "").strip(),
        aliases=tuple(request.form.get("aliases", "").split()),
        token_format=TokenFormat(said) if said in list(TokenFormat) else found.token_format,
        signing_algorithm=SigningAlgorithm(algorithm) if algorithm in list(SigningAlgorithm) else None,
    )


def server_now() -> Resource:
    """The MCP server that the page is about, as it stands now; never this server's own API. Raises `NotFound`."""
    resources = deployment().stores.resources
    resources.refresh()
    found = resources.find(wanted_id())
    if found is None or found.is_own_api:
        raise NotFound
    return found


def state_of(found: Resource) -> str:
    """What of *found* the form was made from; it changes with it."""
    return credential.digest(repr(difference.of_resource(found))).hex()
