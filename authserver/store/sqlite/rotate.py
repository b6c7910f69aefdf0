"""Rotate a refresh token, as the only writer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from ...protocol.access_token import Authority
from ...protocol.audit import Event
from ...protocol.refresh_token import Rotation
from .. import audit
from ..authority import alive, authority, columns_of, family_of, only, standing_of, subject_of
from ..clock import now
from ..database import Database
from ..models import RefreshTokenRow

TOKEN = (
    select(RefreshTokenRow.family_id, RefreshTokenRow.expires_at, RefreshTokenRow.rotated_at)
    .where(RefreshTokenRow.digest == bindparam("digest"))
    .cte("token")
)
FAMILY = family_of(only(TOKEN.c.family_id))
GRANT = standing_of(only(FAMILY.c.grant_id))
ROTATABLE = (
    select(*columns_of(FAMILY, GRANT), FAMILY.c.expires_at, now.label("now"))
    .join_from(TOKEN, FAMILY, FAMILY.c.id == TOKEN.c.family_id)
    .join(GRANT, GRANT.c.id == FAMILY.c.grant_id)
    .where(
        TOKEN.c.rotated_at.is_(None),
        TOKEN.c.expires_at > now,
        FAMILY.c.client_id == bindparam("client_id"),
        or_(bindparam("resource").is_(None), FAMILY.c.resource == bindparam("resource")),
        FAMILY.c.revoked_at.is_(None),
        FAMILY.c.expires_at > now,
        alive(GRANT, only(FAMILY.c.client_id)),
    )
)
USE = (
    update(RefreshTokenRow)
    .where(RefreshTokenRow.digest == bindparam("used"))
    .values(rotated_at=bindparam("rotated_at"), successor_digest=bindparam("successor_digest"), sealed=None)
)
SUCCEED = insert(RefreshTokenRow).values(
    {name: bindparam(name) for name in ("digest", "family_id", "created_at", "expires_at", "sealed")}
)


class _Rotated(NamedTuple):
    """What a token stood on, and what is written of it: of itself, of its successor, and in the trail."""

    authority: Authority
    used: dict[str, Any]
    successor: dict[str, Any]
    event: Event


def rotate(database: Database, attempt: Rotation, event: Event) -> Authority | None:
    """See `refresh_tokens.RefreshTokenStore.rotate`."""
    found: Authority | None = database.as_one_of_many(_rotate, (attempt, event))
    return found


def _rotate(connection: Connection, asked: Sequence[tuple[Rotation, Event]]) -> list[Authority | None]:
    """Of those who present the same token the first gets what it stands on. All that is written is written at once."""
    rotations: dict[bytes, _Rotated] = {}
    found: list[Authority | None] = []
    for attempt, event in asked:
        rotated = None if attempt.digest in rotations else _rotatable(connection, attempt, event)
        if rotated is not None:
            rotations[attempt.digest] = rotated
        found.append(rotated and rotated.authority)
    if rotations:
        connection.execute(USE, [rotated.used for rotated in rotations.values()])
        connection.execute(SUCCEED, [rotated.successor for rotated in rotations.values()])
        audit.record_all(connection, [rotated.event for rotated in rotations.values()])
    return found


def _rotatable(connection: Connection, attempt: Rotation, event: Event) -> _Rotated | None:
    sought = {"digest": attempt.digest, "client_id": attempt.client_id, "resource": attempt.resource}
    found = connection.execute(ROTATABLE, sought).one_or_none()
    if found is None or not (stands_on := authority(found)).scopes:
        return None
    successor = {
        "digest": attempt.successor_digest,
        "family_id": found.family_id,
        "created_at": found.now,
        "expires_at": min(found.now + attempt.lifetime, found.expires_at),
        "sealed": attempt.sealed_successor,
    }
    used = {"used": attempt.digest, "rotated_at": found.now, "successor_digest": attempt.successor_digest}
    return _Rotated(stands_on, used, successor, event.about(**subject_of(found)))
