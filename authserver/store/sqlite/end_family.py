"""End a refresh family, by its id or by one of its tokens, as the only writer."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from ...protocol.audit import Event
from ..audit import record
from ..clock import now
from ..database import Database
from ..models import FamilyRow, GrantRow, RefreshTokenRow

END = (
    update(FamilyRow)
    .where(FamilyRow.id == bindparam("family_id"), FamilyRow.revoked_at.is_(None))
    .values(revoked_at=now)
    .returning(FamilyRow.grant_id, FamilyRow.client_id, FamilyRow.resource)
)
FAMILY_OF = (
    select(FamilyRow.id)
    .join(RefreshTokenRow, RefreshTokenRow.family_id == FamilyRow.id)
    .where(RefreshTokenRow.digest == bindparam("digest"), FamilyRow.client_id == bindparam("client_id"))
)
OWNER = select(GrantRow.user_id).where(GrantRow.id == bindparam("grant_id"))


def end_family(database: Database, family_id: str, event: Event) -> bool:
    """See `refresh_tokens.RefreshTokenStore.revoke_family`."""
    return bool(database.as_one_of_many(_end_all, (family_id, event)))


def _end_all(connection: Connection, asked: Sequence[tuple[str, Event]]) -> list[bool]:
    return [_end(connection, family_id, event) for family_id, event in asked]


def _end(connection: Connection, family_id: str, event: Event) -> bool:
    found = connection.execute(END, {"family_id": family_id}).one_or_none()
    if found is None:
        return False
    user_id = connection.execute(OWNER, {"grant_id": found.grant_id}).scalar_one()
    record(connection, event.about(user_id=user_id, **found._asdict()))
    return True


def end_family_of(database: Database, digest: bytes, client_id: str, event: Event) -> bool:
    """See `refresh_tokens.RefreshTokenStore.revoke`. Who knows no token keeps no writer waiting."""
    with database.reading() as connection:
        family_id = connection.scalar(FAMILY_OF, {"digest": digest, "client_id": client_id})
    return family_id is not None and end_family(database, family_id, event)
