"""What has ended and may still be in use: what status lists tell (TK-10), read from the state itself.

Nothing is written for the lists when something is revoked, so nothing can be forgotten: a family that ended says when,
a client that may not act says so, and both are found by an index. Only what ended lately is looked at, since no access
token lives longer than `LATELY`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Executable, and_, bindparam, func, or_, select, text, union_all

from .clock import now, now_in_milliseconds
from .database import Database
from .failures import repeatable
from .models import (
    ClientPositionRow,
    ClientRow,
    EndedPositionRow,
    EpochRow,
    FamilyRow,
    GrantRow,
    ResourceRow,
    RevokedAccessTokenRow,
    UserRow,
)

LATELY = 25 * 3600  # seconds; an access token lives a day at most
AFTER_EXPIRY = 600  # seconds: a guard may take a token for 300 longer, and its clock may be behind as much
REACH: dict[str, Executable] = {
    "postgresql": text("SELECT last_value FROM status_positions"),
    "sqlite": select(EpochRow.last_position),
}
# Composed once: these are asked twice a second in each process.
POSITIONS: Executable = union_all(
    select(FamilyRow.resource, FamilyRow.status_position, FamilyRow.revoked_at).where(
        FamilyRow.revoked_at >= now - bindparam("within", type_=BigInteger), FamilyRow.status_position.is_not(None)
    ),
    select(EndedPositionRow.resource, EndedPositionRow.position, EndedPositionRow.ended_at).where(
        EndedPositionRow.ended_at >= now - bindparam("within", type_=BigInteger)
    ),
)
TOKENS = select(RevokedAccessTokenRow.resource, RevokedAccessTokenRow.jti, RevokedAccessTokenRow.revoked_at).where(
    RevokedAccessTokenRow.expires_at > now - AFTER_EXPIRY, RevokedAccessTokenRow.resource.is_not(None)
)
STOPPED = and_(
    or_(ClientRow.suspended_at.is_not(None), ClientRow.pending_since.is_not(None)), ClientRow.deleted_at.is_(None)
)

MAY_BE_IN_USE = (
    FamilyRow.revoked_at.is_(None),
    FamilyRow.expires_at > now - LATELY,
    FamilyRow.status_position.is_not(None),
)
"""What holds of a family that has not ended, and whose tokens somebody may have."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A place on the lists of *resource* whose tokens count no more; ``at`` in Unix seconds."""

    resource: str
    position: int
    at: int


@dataclass(frozen=True, slots=True)
class RevokedToken:
    """An access token that was revoked alone, for *resource*; ``at`` in Unix seconds."""

    resource: str
    jti: str
    at: int


class EndedStore:
    """Reads what has ended; each verb is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @repeatable
    def clock(self) -> float:
        """The database's time (Unix seconds)."""
        with self._database.reading() as connection:
            return connection.execute(select(now_in_milliseconds)).scalar_one() / 1000

    @repeatable
    def positions(self, within: int = LATELY) -> list[Ended]:
        """The places that ended in the last *within* seconds, and will not come back."""
        with self._database.reading() as connection:
            return _ended(connection.execute(POSITIONS, {"within": within}))

    @repeatable
    def suspended(self) -> list[Ended]:
        """The places of clients that may not act now, and may act again; and of people who are locked out.

        Of those only what has not ended by itself yet: very many grants end in batches.
        """
        since = func.coalesce(ClientRow.suspended_at, ClientRow.pending_since)
        own = (
            select(ClientPositionRow.resource, ClientPositionRow.position, since)
            .join(ClientRow, ClientRow.client_id == ClientPositionRow.client_id)
            .where(STOPPED)
        )
        families = (
            select(FamilyRow.resource, FamilyRow.status_position, since)
            .join_from(ClientRow, GrantRow, GrantRow.client_id == ClientRow.client_id)
            .join(FamilyRow, FamilyRow.grant_id == GrantRow.id)
            .where(STOPPED, *MAY_BE_IN_USE)
        )
        theirs = (
            select(FamilyRow.resource, FamilyRow.status_position, UserRow.ending_since)
            .join_from(UserRow, GrantRow, GrantRow.user_id == UserRow.id)
            .join(FamilyRow, FamilyRow.grant_id == GrantRow.id)
            .where(UserRow.ending_since.is_not(None), GrantRow.revoked_at.is_(None), *MAY_BE_IN_USE)
        )
        with self._database.reading() as connection:
            return _ended(connection.execute(families.union_all(own, theirs)))

    @repeatable
    def tokens(self) -> list[RevokedToken]:
        """The access tokens that were revoked alone and that a guard may still take."""
        with self._database.reading() as connection:
            return [RevokedToken(str(resource), jti, at or 0) for resource, jti, at in connection.execute(TOKENS)]

    @repeatable
    def resources(self) -> tuple[str, ...]:
        """The identifiers of all servers, suspended ones too."""
        with self._database.reading() as connection:
            return tuple(connection.scalars(select(ResourceRow.identifier)))

    @repeatable
    def reach(self) -> int:
        """The last position that was given away."""
        with self._database.reading() as connection:
            return int(connection.execute(REACH[self._database.dialect]).scalar_one())


def _ended(rows: Iterable[Any]) -> list[Ended]:
    return [Ended(*row) for row in rows]
