"""Registrations that are alike: of the same name, sending to the same hosts. Those that nobody used end all at once."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...protocol.client import Client
from ...protocol.credential import base64url, from_base64url
from ...protocol.msg import Filled, msg
from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import LINES, Search, event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

MOST_GROUPS = 50
MOST_COUNTED = 10_000
SECONDS = 5.0  # after which a page answers how far it came
SO_FAR = msg("{} registrations were deleted, and more are left. Press the button again to go on.")


@blueprint.get("/clients/alike")
@needs(Permission.CLIENTS_READ)
def alike_clients() -> ResponseReturnValue:
    """The largest groups of registrations that nobody used."""
    known = deployment().stores.registrations
    groups = [(group, base64url(group.likeness)) for group in known.alike(MOST_GROUPS)]
    return render_template(
        "admin/alike.html",
        groups=groups,
        most=MOST_GROUPS,
        unused=known.count_unused(MOST_COUNTED),
        ceiling=MOST_COUNTED,
    )


@blueprint.get("/clients/group")
@needs(Permission.CLIENTS_READ)
def client_group() -> ResponseReturnValue:
    """One group: all that are alike, used or not, newest first."""
    search, likeness = Search.asked(), _likeness()
    page = deployment().stores.clients.page("", search.after, LINES, likeness=likeness)
    if not page.lines:
        raise NotFound
    return render_template(
        "admin/group.html",
        page=page,
        search=search,
        group=base64url(likeness),
        unused=_count(likeness),
        most=MOST_COUNTED,
    )


@blueprint.get("/clients/group/delete")
@needs(Permission.CLIENTS_DELETE, fresh=True)
def delete_group() -> ResponseReturnValue:
    """How many unused ones there are, and what deleting them will do."""
    likeness = _likeness()
    return render_template(
        "admin/delete_group.html",
        client=_one_of(likeness),
        unused=_count(likeness),
        most=MOST_COUNTED,
        group=base64url(likeness),
    )


@blueprint.post("/clients/group/delete")
@needs(Permission.CLIENTS_DELETE, fresh=True)
@form_of(delete_group)
def do_delete_group() -> ResponseReturnValue:
    """Delete the unused ones, for as long as a page may take; then tell how many, if some are left."""
    likeness = _likeness()
    _one_of(likeness)
    deleted = deployment().reaper.delete_alike(likeness, event("clients.deleted"), SECONDS)
    if _count(likeness):
        return again(delete_group, Filled(SO_FAR, deleted), 200)
    return redirect(url_for("admin.alike_clients"), 303)


def _count(likeness: bytes) -> int:
    return deployment().reaper.count_alike(likeness, MOST_COUNTED)


def _one_of(likeness: bytes) -> Client:
    page = deployment().stores.clients.page("", None, 1, likeness=likeness)
    if not page.lines:
        raise NotFound
    return page.lines[0].client


def _likeness() -> bytes:
    """The group that the page is about. Raises `NotFound` for what is none."""
    found = from_base64url(wanted_id())
    if found is None:
        raise NotFound
    return found
