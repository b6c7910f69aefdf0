"""Rotate a refresh token, as the only writer."""

from sqlalchemy import bindparam, insert, or_, select, update

from ...protocol.access_token import Authority
from ...protocol.audit import Event
from ...protocol.refresh_token import Rotation
from .. import audit
from ..authority import LIVE, OF_FAMILY, authority, subject_of
from ..clock import now
from ..database import Database
from ..models import ClientRow, FamilyRow, GrantRow, RefreshTokenRow, UserRow

ROTATABLE = (
    select(*OF_FAMILY, FamilyRow.expires_at, now.label("now"))
    .select_from(RefreshTokenRow)
    .join(FamilyRow, FamilyRow.id == RefreshTokenRow.family_id)
    .join(GrantRow, GrantRow.id == FamilyRow.grant_id)
    .join(UserRow, UserRow.id == GrantRow.user_id)
    .join(ClientRow, ClientRow.client_id == FamilyRow.client_id)
    .where(
        RefreshTokenRow.digest == bindparam("digest"),
        RefreshTokenRow.rotated_at.is_(None),
        RefreshTokenRow.expires_at > now,
        FamilyRow.client_id == bindparam("client_id"),
        or_(bindparam("resource").is_(None), FamilyRow.resource == bindparam("resource")),
        FamilyRow.revoked_at.is_(None),
        FamilyRow.expires_at > now,
        LIVE,
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
        if found is None:
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
