"""Signing keys: their state, rotation, and the emergency."""

import time
from dataclasses import replace

from pydantic import Field

from ...keys.life import rotates_at, state
from ...keys.rotation import Rotation
from ...protocol.role import Permission
from .clients import Seconds
from .operation import Answer, AnyOperation, Call, Nothing, One, acting, reading
from .problem import Problem


class KeyState(Answer):
    """A key pair, without the private half."""

    kid: str
    alg: str
    purpose: str
    state: str
    created_at: Seconds
    signs_from: Seconds | None
    signs_until: Seconds | None
    published_until: Seconds | None
    rotates_at: Seconds | None = Field(description="When its standby signs in its place by itself; null: not")


class Keys(Answer):
    """All keys, newest first."""

    items: list[KeyState]


class Made(Answer):
    """The keys that sign from now on, or as soon as they have been published long enough."""

    kids: list[str]


class Withdrawn(Made):
    """The new keys, and how many were withdrawn."""

    withdrawn: int


def _list(call: Call[Nothing, Nothing]) -> Keys:
    now, found = int(time.time()), reversed(call.deployment.stores.keys.all())
    names, every = KeyState.model_fields.keys() - {"state", "rotates_at"}, call.deployment.rotation.every
    lines = [
        {
            **{name: getattr(each, name) for name in names},
            "state": state(each, now),
            "rotates_at": rotates_at(each, every),
        }
        for each in found
    ]
    return Keys(items=[KeyState.model_validate(each) for each in lines])


def _rotate(call: Call[Nothing, Nothing]) -> Made:
    return Made(kids=_rotation(call).rotate())


def _withdraw(call: Call[Nothing, Nothing]) -> Withdrawn:
    withdrawn, made = _rotation(call).replace_all()
    return Withdrawn(kids=made, withdrawn=withdrawn)


def _withdraw_one(call: Call[One, Nothing]) -> None:
    if not _rotation(call).withdraw(call.query.id):
        raise Problem(404, "no such key was withdrawn: it is not there, was before, or others moved it in this moment")


def _rotation(call: Call[Nothing, Nothing] | Call[One, Nothing]) -> Rotation:
    cause = call.event("key.rotated")
    return replace(call.deployment.rotation, actor=cause.actor, origin=cause.origin)


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/keys", Permission.KEYS_READ, "All signing keys, newest first", Nothing, Keys, _list),
    acting("/keys/rotate", Permission.KEYS_ROTATE, "Let the standby keys sign", Nothing, _rotate, answer=Made,
           once=True),
    acting(
        "/key/withdraw", Permission.EMERGENCY, "Withdraw one key, which ends every access token that it signed", One,
        _withdraw_one,
    ),
    acting(
        "/keys/withdraw", Permission.EMERGENCY, "The emergency: withdraw every key, which ends every access token",
        Nothing, _withdraw, answer=Withdrawn, once=True,
    ),
)  # fmt: skip
