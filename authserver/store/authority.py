"""What tokens stand on, as the stores read it: family, grant, person and client together."""

from sqlalchemy import ColumnElement, and_

from ..protocol.access_token import Authority
from .driver import Found
from .models import ClientRow, FamilyRow, GrantRow, UserRow

LIVE: ColumnElement[bool] = and_(
    GrantRow.revoked_at.is_(None),
    UserRow.disabled_at.is_(None),
    ClientRow.suspended_at.is_(None),
    ClientRow.deleted_at.is_(None),
)
"""The grant holds, and person and client may act."""

OF_FAMILY = (
    FamilyRow.id.label("family_id"),
    FamilyRow.client_id,
    FamilyRow.resource,
    FamilyRow.scopes,
    FamilyRow.auth_time,
    GrantRow.id.label("grant_id"),
    GrantRow.user_id,
    GrantRow.scopes.label("held"),
)
"""The columns of a family's authority."""


def authority(row: Found, *, family_id: str | None = None) -> Authority:
    """The authority that *row* tells: its scopes are those that the grant still holds (``held``)."""
    scopes, held = _words(row.scopes), _words(row.held)
    return Authority(
        subject=row.user_id,
        client_id=row.client_id,
        grant_id=row.grant_id,
        family_id=family_id or row.family_id,
        resource=row.resource,
        scopes=tuple(name for name in scopes if name in held),
        auth_time=row.auth_time,
    )


def subject_of(row: Found) -> dict[str, str]:
    """Whom and what an event about *row* is about."""
    return {name: getattr(row, name) for name in ("user_id", "client_id", "resource", "grant_id")}


def _words(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """A column of words; a statement in plain SQL gives its text."""
    return tuple(value.split()) if isinstance(value, str) else value
