"""Tokens: what a value is that somebody found, and the end of a refresh family.

The value comes in the body of a POST and is shown nowhere: it is in no URL, no log and no page.
"""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.msg import msg
from ...protocol.role import Permission
from ...services.token_lookup import LONGEST, Kind, TokenLookup
from ...store.grant_search import Family
from ..deployment import deployment
from ..listing import event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

MEANS = {
    Kind.ACCESS: msg("That is an access token"),
    Kind.REFRESH: msg("That is a refresh token"),
    Kind.CODE: msg("That is an authorization code"),
    Kind.TOKEN_ID: msg("That is a token id"),
    Kind.FAMILY: msg("That is a refresh family"),
    Kind.GRANT: msg("That is a grant"),
    Kind.SECRET: msg("That is a client secret"),
    Kind.REGISTRATION: msg("That is a registration access token"),
    Kind.INITIAL_ACCESS: msg("That is an initial access token"),
    Kind.SESSION: msg("That is a session"),
    Kind.UNKNOWN: msg("That is nothing that this server knows"),
}
NOTHING = msg("Paste a token, or the id of one.")


@blueprint.get("/grants/token")
@needs(Permission.GRANTS_READ)
def find_token() -> ResponseReturnValue:
    """Where to paste it."""
    return render_template("admin/find_token.html", longest=LONGEST)


@blueprint.post("/grants/token")
@needs(Permission.GRANTS_READ)
@form_of(find_token)
def do_find_token() -> ResponseReturnValue:
    """What it is, and the grant behind it. Nothing is changed by it."""
    value = request.form.get("token", "").strip()
    if not value:
        return again(find_token, NOTHING, 400)
    stores = deployment().stores
    found = TokenLookup(stores, deployment().token.formats).find(value)
    grant = stores.grants.find(found.grant_id) if found.grant_id else None
    client = stores.clients.find_fresh(found.client_id) if found.client_id else None
    return render_template("admin/token.html", found=found, means=MEANS[found.kind], grant=grant, client=client)


@blueprint.get("/grant/family/revoke")
@needs(Permission.GRANTS_REVOKE)
def revoke_family() -> ResponseReturnValue:
    """What revoking will do."""
    family = _family()
    grant = deployment().stores.grants.find(family.grant_id)
    return render_template("admin/revoke_family.html", family=family, grant=grant)


@blueprint.post("/grant/family/revoke")
@needs(Permission.GRANTS_REVOKE)
@form_of(revoke_family)
def do_revoke_family() -> ResponseReturnValue:
    """End the family, with its access tokens; the grant stays. Done twice, it is done."""
    family = _family()
    deployment().stores.refresh_tokens.revoke_family(family.id, event("family.revoked").about(grant_id=family.grant_id))
    return redirect(url_for("admin.grant", id=family.grant_id), 303)


def _family() -> Family:
    found = deployment().stores.grant_search.family(wanted_id())
    if found is None:
        raise NotFound
    return found
