"""Grants: what people allowed which clients to do where, and the way to end one."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.role import Permission
from ...store.grants import GrantListing
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import form_of
from . import blueprint
from .access import needs


@blueprint.get("/grants")
@needs(Permission.GRANTS_READ)
def grants() -> ResponseReturnValue:
    """All of them, ended ones too, newest first."""
    search = Search.asked()
    page = deployment().stores.grants.page(search.query, search.after, LINES)
    return render_template("admin/grants.html", page=page, search=search)


@blueprint.get("/grant/revoke")
@needs(Permission.GRANTS_REVOKE)
def revoke_grant() -> ResponseReturnValue:
    """What revoking will do."""
    lifetime = deployment().settings.access_token_lifetime
    return render_template("admin/revoke_grant.html", grant=_live_grant(), minutes=-(-lifetime // 60))


@blueprint.post("/grant/revoke")
@needs(Permission.GRANTS_REVOKE)
@form_of(revoke_grant)
def do_revoke_grant() -> ResponseReturnValue:
    """End the grant, with its refresh tokens and the consent behind it. Done twice, it is done."""
    deployment().stores.grants.revoke(wanted_id(), event("grant.revoked"))
    return redirect(url_for("admin.grants"), 303)


def _live_grant() -> GrantListing:
    wanted = wanted_id()
    for grant in deployment().stores.grants.for_user(wanted_id("user")):
        if grant.id == wanted:
            return grant
    raise NotFound
