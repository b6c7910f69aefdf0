"""Keys: what signs tokens now, what is published for later, and what is on its way out (TK-12)."""

import time
from dataclasses import dataclass
from enum import StrEnum

from flask import render_template
from flask.typing import ResponseReturnValue

from ...keys.ports import StoredKey
from ...protocol.role import Permission
from ..deployment import deployment
from . import blueprint
from .access import needs


class State(StrEnum):
    """Where a key is in its life."""

    STANDBY = "standby"
    SIGNING = "signing"
    RETIRED = "retired"
    WITHDRAWN = "withdrawn"


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


def state(key: StoredKey, now: int) -> State:
    """What *key* does at *now* (Unix seconds)."""
    if key.published_until is not None and key.published_until <= now:
        return State.WITHDRAWN
    if key.signs_until is not None and key.signs_until <= now:
        return State.RETIRED
    return State.SIGNING if key.signs_from is not None and key.signs_from <= now else State.STANDBY
