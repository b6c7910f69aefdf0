"""End a refresh family, as the only writer."""

from sqlalchemy import bindparam, select, update

from ...protocol.audit import Event
from ..audit import record
from ..clock import now
from ..database import Database
from ..models import FamilyRow, GrantRow

END = (
    update(FamilyRow)
    .where(FamilyRow.id == bindparam("family_id"), FamilyRow.revoked_at.is_(None))
    .values(revoked_at=now)
    .returning(FamilyRow.grant_id, FamilyRow.client_id, FamilyRow.resource)
)
OWNER = select(GrantRow.user_id).where(GrantRow.id == bindparam("grant_id"))


def end_family(database: Database, family_id: str, event: Event) -> bool:
    """See `refresh_tokens.RefreshTokenStore.revoke_family`."""
    with database.transaction() as connection:
        found = connection.execute(END, {"family_id": family_id}).one_or_none()
        if found is None:
            return False
        user_id = connection.execute(OWNER, {"grant_id": found.grant_id}).scalar_one()
        record(connection, event.about(user_id=user_id, **found._asdict()))
    return True
