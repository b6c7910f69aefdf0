"""Counts that cost the same however many there are: they end at a bound."""

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, select

from .models import GrantRow, Row

MOST = 1000
"""Live grants of one client or person: lists show more of them as this."""


def shown(count: int) -> str:
    """*count* in words of a list."""
    return str(count) if count < MOST else f"{MOST}+"


def counted_grants(of: type[Row], theirs: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many live grants each row of the table *of* has, up to `MOST`; *theirs* joins the two."""
    some = select(literal(1)).where(theirs, GrantRow.revoked_at.is_(None)).limit(MOST).correlate(of).subquery()
    return select(func.count()).select_from(some).correlate(of).scalar_subquery()
