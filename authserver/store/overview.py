"""The numbers of the console's first page."""

from dataclasses import dataclass

from sqlalchemy import ScalarSelect, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from .database import Database
from .models import ClientRow, GrantRow, ResourceRow, UserRow

MOST = 10_000


def shown(count: int) -> str:
    """*count* as the page says it."""
    return f"{count:,}" if count < MOST else f"{MOST:,}+"


@dataclass(frozen=True, slots=True)
class Overview:
    """How many there are: of grants, clients, people and MCP servers that have not ended; counted to `MOST`."""

    grants: int
    clients: int
    users: int
    resources: int


def overview(database: Database) -> Overview:
    """Count what lives now."""
    counts = select(
        _count(GrantRow.revoked_at).label("grants"),
        _count(ClientRow.deleted_at).label("clients"),
        _count(UserRow.disabled_at).label("users"),
        _count(ResourceRow.suspended_at).label("resources"),
    )
    with database.reading() as connection:
        return Overview(**connection.execute(counts).one()._asdict())


def _count(ended_at: InstrumentedAttribute[int | None]) -> ScalarSelect[int]:
    some = select(literal(1)).select_from(ended_at.class_).where(ended_at.is_(None)).limit(MOST).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
