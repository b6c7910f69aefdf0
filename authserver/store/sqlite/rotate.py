"""Rotate a refresh token, as the only writer."""

from sqlalchemy import bindparam, insert, or_, select, update

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


def rotate(database: Database, attempt: Rotation, event: Event) -> Authority | None:
    """See `refresh_tokens.RefreshTokenStore.rotate`."""
    sought = {"digest": attempt.digest, "client_id": attempt.client_id, "resource": attempt.resource}
    with database.transaction() as connection:
        found = connection.execute(ROTATABLE, sought).one_or_none()
        if found is None or not authority(found).scopes:
            return None
        used = {"used": attempt.digest, "rotated_at": found.now, "successor_digest": attempt.successor_digest}
        connection.execute(USE, used)
        successor = {
            "digest": attempt.successor_digest,
            "family_id": found.family_id,
            "created_at": found.now,
            "expires_at": min(found.now + attempt.lifetime, found.expires_at),
            "sealed": attempt.sealed_successor,
        }
        connection.execute(SUCCEED, successor)
        about = event.about(**subject_of(found))
        audit.record(connection, about)
    return authority(found)
