"""Keys: what signs tokens now, what is published for later, and what is on its way out (TK-12)."""

import time
from dataclasses import dataclass, replace

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...keys.life import State, state
from ...keys.ports import StoredKey
from ...keys.rotation import Rotation
from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import event
from ..stale import form_of
from . import blueprint
from .access import needs


@dataclass(frozen=True, slots=True)
class Line:
    """A key and its state; ``age`` in whole days."""

    key: StoredKey
    state: State
    age: int


@blueprint.get("/keys")
@needs(Permission.KEYS_READ)
def keys() -> ResponseReturnValue:
    """All of them, newest first."""
    now = int(time.time())
    newest_first = reversed(deployment().stores.keys.all())
    lines = [Line(key, state(key, now), (now - key.created_at) // 86_400) for key in newest_first]
    return render_template("admin/keys.html", lines=lines)


@blueprint.get("/keys/rotate")
@needs(Permission.KEYS_ROTATE, fresh=True)
def rotate_keys() -> ResponseReturnValue:
    """What rotating will do, and when."""
    settings = deployment().settings
    lead, kept = -(-settings.next_key_lead // 60), -(-settings.access_token_lifetime // 60)
    return render_template("admin/rotate_keys.html", lead=lead, kept=kept)


@blueprint.post("/keys/rotate")
@needs(Permission.KEYS_ROTATE, fresh=True)
@form_of(rotate_keys)
def do_rotate_keys() -> ResponseReturnValue:
    """Let the standbys sign, on all nodes."""
    rotation().rotate()
    return redirect(url_for("admin.keys"), 303)


def rotation() -> Rotation:
    """Key rotation in the name of the visitor."""
    cause = event("key.rotated")
    return replace(deployment().rotation, actor=cause.actor, origin=cause.origin)
