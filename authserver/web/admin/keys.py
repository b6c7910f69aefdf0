"""Keys: what signs tokens now, what is published for later, and what is on its way out (TK-12)."""

import time
from dataclasses import dataclass, replace

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...keys.life import State, rotates_at, state
from ...keys.ports import Purpose, StoredKey
from ...keys.rotation import Rotation
from ...protocol import credential
from ...protocol.msg import msg
from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import event, wanted_id
from ..stale import again, form_of
from . import blueprint
from .access import needs

MOVED = msg(
    "Somebody else moved the keys in this moment, so that this one was not withdrawn. Look again, and press once more."
)
SIGNS = {Purpose.TOKENS: msg("tokens"), Purpose.STATUS: msg("status lists"), Purpose.AUDIT: msg("the audit trail")}


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
    every = deployment().rotation.every
    due = min(filter(None, (rotates_at(line.key, every) for line in lines)), default=None)
    return render_template("admin/keys.html", lines=lines, means=SIGNS, due=due, days=every // 86_400)


@blueprint.get("/keys/rotate")
@needs(Permission.KEYS_ROTATE, fresh=True)
def rotate_keys() -> ResponseReturnValue:
    """What rotating will do, and when."""
    settings = deployment().settings
    lead, kept = -(-settings.next_key_lead // 60), -(-settings.access_token_lifetime // 60)
    return render_template("admin/rotate_keys.html", lead=lead, kept=kept, seen=_state())


@blueprint.post("/keys/rotate")
@needs(Permission.KEYS_ROTATE, fresh=True)
@form_of(rotate_keys)
def do_rotate_keys() -> ResponseReturnValue:
    """Let the standbys sign, on all nodes. Done twice, or by two at once, it is done."""
    if request.form.get("seen") == _state():
        rotation().rotate()
    return redirect(url_for("admin.keys"), 303)


@blueprint.get("/key/withdraw")
@needs(Permission.EMERGENCY, fresh=True)
def withdraw_key() -> ResponseReturnValue:
    """What withdrawing one key will do. Raises `NotFound`."""
    found = _key(wanted_id())
    return render_template("admin/withdraw_key.html", key=found, state=state(found, int(time.time())), means=SIGNS)


@blueprint.post("/key/withdraw")
@needs(Permission.EMERGENCY, fresh=True)
@form_of(withdraw_key)
def do_withdraw_key() -> ResponseReturnValue:
    """Withdraw it. Done twice, it is done."""
    if not rotation().withdraw(wanted_id()) and _state_of(wanted_id()) is not State.WITHDRAWN:
        return again(withdraw_key, MOVED, 409)
    return redirect(url_for("admin.keys"), 303)


def _key(kid: str) -> StoredKey:
    found = next((key for key in deployment().stores.keys.all() if key.kid == kid), None)
    if found is None:
        raise NotFound
    return found


def _state_of(kid: str) -> State:
    return state(_key(kid), int(time.time()))


def _state() -> str:
    """Which keys there are; it changes with each rotation."""
    return credential.digest(" ".join(key.kid for key in deployment().stores.keys.all())).hex()


def rotation() -> Rotation:
    """Key rotation in the name of the visitor."""
    cause = event("key.rotated")
    return replace(deployment().rotation, actor=cause.actor, origin=cause.origin)
