"""Places on status lists: each family gets one when it begins, and another when its grant loses a scope (TK-10).

Positions are counted for the whole deployment and never used twice. No token shows them: what the world sees is made
of them by `keys.numbering`.
"""

from sqlalchemy import ColumnElement, Connection, insert, select, text, update

from .clock import now
from .models import EndedPositionRow, EpochRow, FamilyRow

# A sequence is never waited for. SQLite has none, and no second writer who would wait for the row.
SEQUENCE = text("SELECT nextval('status_positions')")
COUNTED = update(EpochRow).where(EpochRow.id == 1).values(last_position=EpochRow.last_position + 1)
COUNTER = COUNTED.returning(EpochRow.last_position)


def next_position(connection: Connection) -> int:
    """A position that nobody has had."""
    return int(connection.execute(COUNTER if connection.dialect.name == "sqlite" else SEQUENCE).scalar_one())


def move(connection: Connection, which: ColumnElement[bool]) -> None:
    """End the positions of the live families that *which* tells, with the access tokens there, and give them others."""
    live = select(FamilyRow).where(which, FamilyRow.revoked_at.is_(None), FamilyRow.expires_at > now)
    # In one order for everyone, as all that locks many.
    families = connection.execute(live.order_by(FamilyRow.id).with_for_update()).all()
    for family in families:
        if family.status_position is not None:
            ended = {"position": family.status_position, "resource": family.resource}
            connection.execute(insert(EndedPositionRow).values(**ended, ended_at=now))
        moved = update(FamilyRow).where(FamilyRow.id == family.id)
        connection.execute(moved.values(status_position=next_position(connection)))
