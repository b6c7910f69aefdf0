"""A person's connections: which apps act for them where, what those did, and the ways to narrow and to end them."""

from collections.abc import Collection

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.scope import MOST_SCOPES
from ...protocol.tool_list import MOST_TOOLS
from ...services.connections import Connection
from ...store.audit import AuditFilter
from ...store.grants import Whose
from ...store.tool_calls import CallFilter
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..signed_in import required, the_visitor
from ..stale import again, form_of
from ..words import CONTRADICTION
from . import blueprint

MOST_ALERTS = 10
DAY = 86_400


@blueprint.get("/account/connections")
@required
def connections() -> ResponseReturnValue:
    """All that live, by app, and what about them looked unusual."""
    apps: dict[bytes, list[Connection]] = {}
    for connection in deployment().connections.of(_own_id()):
        apps.setdefault(connection.likeness, []).append(connection)
    alerts = deployment().stores.alerts.of_user(_own_id(), MOST_ALERTS)
    return render_template("account/connections.html", apps=apps, alerts=alerts, days=_days())


@blueprint.get("/account/calls")
@required
def own_calls() -> ResponseReturnValue:
    """What apps did as this person: all of them, or the one of a connection."""
    search = Search.asked()
    connection = _connection() if "id" in request.args else None
    wanted = CallFilter(user_id=_own_id(), grant_id=connection.grant.id if connection else None)
    page = deployment().stores.tool_calls.page(wanted, search.after, LINES)
    return render_template("account/calls.html", page=page, search=search, connection=connection)


@blueprint.get("/account/connection/narrow")
@required
def narrow_connection() -> ResponseReturnValue:
    """Which permissions were not needed, and what removing them will do."""
    connection = _connection()
    if not connection.unused and not connection.unused_tools:
        return redirect(url_for("account.connections"), 303)
    return render_template("account/narrow_connection.html", connection=connection, days=_days())


@blueprint.post("/account/connection/narrow")
@required
@form_of(narrow_connection)
def do_narrow_connection() -> ResponseReturnValue:
    """Remove those that the page showed, if they still are not needed. Done twice, it is done."""
    connection = deployment().connections.find(_own_id(), _own_grant_id())
    if connection is not None:
        scopes, tools = request.form.getlist("scope")[:MOST_SCOPES], request.form.getlist("tool")[:MOST_TOOLS]
        deployment().connections.remove_unused(connection, scopes, tools, event("grant.narrowed"))
    return redirect(url_for("account.connections"), 303)


@blueprint.get("/account/connection/edit")
@required
def edit_connection() -> ResponseReturnValue:
    """What it may do, to be unticked."""
    return _edit(frozenset(), frozenset())


@blueprint.post("/account/connection/edit")
@required
@form_of(edit_connection)
def do_edit_connection() -> ResponseReturnValue:
    """Take out what was unticked of what the page showed; what it did not show stays. Done twice, it is done."""
    connection = deployment().connections.find(_own_id(), _own_grant_id())
    if connection is not None:
        scopes, tools = (_unticked(name) for name in ("scope", "tool"))
        if connection.contradicts(scopes):
            return again(lambda: _edit(scopes, tools), CONTRADICTION, 400)
        deployment().connections.narrow(connection, scopes, tools, event("grant.narrowed"))
    return redirect(url_for("account.connections"), 303)


@blueprint.get("/account/connection/end")
@required
def end_connection() -> ResponseReturnValue:
    """What ending it will do."""
    return render_template("account/end_connection.html", connection=_connection())


@blueprint.post("/account/connection/end")
@required
@form_of(end_connection)
def do_end_connection() -> ResponseReturnValue:
    """End it, with its tokens and what was remembered of the consent. Done twice, it is done."""
    deployment().stores.grants.revoke(_own_grant_id(), event("grant.revoked"))
    return redirect(url_for("account.connections"), 303)


@blueprint.get("/account/app/end")
@required
def end_app() -> ResponseReturnValue:
    """All connections of what people take for one app, on whatever device."""
    connection = _connection()
    alike = deployment().connections.alike(connection)
    return render_template("account/end_app.html", connection=connection, alike=alike)


@blueprint.post("/account/app/end")
@required
@form_of(end_app)
def do_end_app() -> ResponseReturnValue:
    """End all of them. Done twice, it is done."""
    connection = deployment().connections.find(_own_id(), _own_grant_id())
    for one in deployment().connections.alike(connection) if connection else ():
        deployment().stores.grants.revoke(one.grant.id, event("grant.revoked"))
    return redirect(url_for("account.connections"), 303)


@blueprint.get("/account/connections/end")
@required
def end_connections() -> ResponseReturnValue:
    """What ending every connection will do."""
    return render_template("account/end_connections.html", held=deployment().connections.of(_own_id()))


@blueprint.post("/account/connections/end")
@required
@form_of(end_connections)
def do_end_connections() -> ResponseReturnValue:
    """End all of them. Done twice, it is done."""
    own = Whose(user_id=_own_id())
    while deployment().stores.grants.revoke_all(own, event("grants.revoked")):
        pass
    return redirect(url_for("account.connections"), 303)


@blueprint.get("/account/activity")
@required
def activity() -> ResponseReturnValue:
    """What happened with this person's account, newest first."""
    search = Search.asked()
    page = deployment().stores.audit.page(AuditFilter(user_id=_own_id()), search.after, LINES)
    return render_template("account/activity.html", page=page, search=search)


def _edit(scopes: Collection[str], tools: Collection[str]) -> str:
    """The page with all ticked but those."""
    unticked = {"scopes": scopes, "tools": tools}
    return render_template("account/edit_connection.html", connection=_connection(), unticked=unticked)


def _unticked(name: str) -> set[str]:
    """What the form showed as *name* and comes back without a tick."""
    shown = request.form.getlist(f"shown_{name}")[: MOST_SCOPES + MOST_TOOLS]
    return set(shown).difference(request.form.getlist(name))


def _connection() -> Connection:
    """The one that the page is about. Raises `NotFound` for anybody else's, as for one that there is not."""
    found = deployment().connections.find(_own_id(), wanted_id())
    if found is None:
        raise NotFound
    return found


def _own_grant_id() -> str:
    """The grant that the form is about, which may have ended meanwhile. Raises `NotFound` for anybody else's."""
    wanted = wanted_id()
    if deployment().stores.grants.owner(wanted) != _own_id():
        raise NotFound
    return wanted


def _own_id() -> str:
    return the_visitor().user.id


def _days() -> int:
    return -(-deployment().settings.unused_permission_after // DAY)
