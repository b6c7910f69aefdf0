"""Grants: what people allowed which clients to do where, and the way to end one."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.role import Permission
from ...store.audit import AuditFilter
from ...store.grant_search import GrantFilter
from ...store.grants import GrantListing
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import form_of
from . import blueprint, filters
from .access import needs

NAMES = ("person", "client", "server", "scope", "show")
LIVE = "live"
NEWEST = 8


@blueprint.get("/grants")
@needs(Permission.GRANTS_READ)
def grants() -> ResponseReturnValue:
    """All of them, ended ones too, or those that are searched for; newest first."""
    search, chosen, stores = Search.asked(), filters.chosen(NAMES), deployment().stores
    if any(chosen.values()):
        page = stores.grant_search.page(_filter(chosen), search.after, LINES)
    else:
        page = stores.grants.page(search.query, search.after, LINES)
    return render_template(
        "admin/grants.html", page=page, search=search, chosen=chosen, resources=stores.resources.all()
    )


@blueprint.get("/grant")
@needs(Permission.GRANTS_READ)
def grant() -> ResponseReturnValue:
    """One of them, ended or not: what it is about, its refresh families, and the newest events."""
    found, stores = _grant(), deployment().stores
    return render_template(
        "admin/grant.html",
        grant=found,
        families=stores.grant_search.families(found.id),
        events=stores.audit.page(AuditFilter(grant_id=found.id), None, NEWEST),
    )


@blueprint.get("/grant/revoke")
@needs(Permission.GRANTS_REVOKE)
def revoke_grant() -> ResponseReturnValue:
    """What revoking will do."""
    found, lifetime = _grant(), deployment().settings.access_token_lifetime
    if found.revoked_at is not None:
        raise NotFound
    return render_template("admin/revoke_grant.html", grant=found, minutes=-(-lifetime // 60))


@blueprint.post("/grant/revoke")
@needs(Permission.GRANTS_REVOKE)
@form_of(revoke_grant)
def do_revoke_grant() -> ResponseReturnValue:
    """End the grant, with its refresh tokens and the consent behind it. Done twice, it is done."""
    deployment().stores.grants.revoke(wanted_id(), event("grant.revoked"))
    return redirect(url_for("admin.grants"), 303)


def _grant() -> GrantListing:
    found = deployment().stores.grants.find(wanted_id())
    if found is None:
        raise NotFound
    return found


def _filter(chosen: dict[str, str | None]) -> GrantFilter:
    return GrantFilter(
        user_id=filters.user_id(chosen["person"]),
        client_id=chosen["client"],
        resource=chosen["server"],
        scope=chosen["scope"],
        live=chosen["show"] == LIVE,
    )
