"""The numbers of the console's first page."""

from dataclasses import dataclass

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import InstrumentedAttribute

from .database import Database
from .models import ClientRow, GrantRow, ResourceRow, UserRow


@dataclass(frozen=True, slots=True)
class Overview:
    """How many there are: of grants, clients, people and MCP servers that have not ended."""

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
    return select(func.count()).select_from(ended_at.class_).where(ended_at.is_(None)).scalar_subquery()
