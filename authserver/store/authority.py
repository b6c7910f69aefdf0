"""What tokens stand on: family, grant, person and client, each found by its own key.

A join would leave the order to the planner, which guesses from whatever the tables were when it last looked; here
each part is looked up by what the part before told, so there is nothing to guess.
"""

from typing import Any

from sqlalchemy import CTE, ColumnElement, ScalarSelect, Text, and_, bindparam, exists, or_, select, type_coerce

from ..protocol.access_token import Authority
from ..protocol.client import AuthMethod, ClientKind, GrantType
from .clock import now
from .driver import Found
from .models import ClientRow, FamilyRow, GrantRow, UserRow

MAY_ACT = (ClientRow.suspended_at.is_(None), ClientRow.deleted_at.is_(None), ClientRow.pending_since.is_(None))
"""What holds of a client that gets anything at all."""

FOR_ITSELF = (
    ClientRow.kind == ClientKind.PREREGISTERED,
    ClientRow.auth_method != AuthMethod.NONE,
    type_coerce(ClientRow.grant_types, Text).contains(GrantType.CLIENT_CREDENTIALS),
)
"""What holds of a client that gets tokens for itself, whether it may act just now or not."""

CLIENT_ALONE = select(ClientRow.ceilings, ClientRow.created_at).where(
    ClientRow.client_id == bindparam("client_id"), *MAY_ACT, *FOR_ITSELF
)
"""A client that may act for itself: `Client.may_act_alone`, as it is now."""


def holds(grant: Any) -> ColumnElement[bool]:  # noqa: ANN401 - `GrantRow`, or columns of it
    """Whether *grant* gives anything: nobody ended it, and its end has not come."""
    return and_(grant.revoked_at.is_(None), or_(grant.ends_at.is_(None), grant.ends_at > now))


def family_of(family_id: ColumnElement[str]) -> CTE:
    """The family, ended or not."""
    columns = (FamilyRow.client_id, FamilyRow.resource, FamilyRow.scopes, FamilyRow.auth_time, FamilyRow.grant_id)
    ends = (FamilyRow.methods, FamilyRow.revoked_at, FamilyRow.expires_at, FamilyRow.status_position)
    return select(FamilyRow.id, *columns, *ends).where(FamilyRow.id == family_id).cte("family")


def standing_of(grant_id: ColumnElement[str]) -> CTE:
    """The grant, ended or not."""
    held = (GrantRow.user_id, GrantRow.redirect_host, GrantRow.scopes, GrantRow.tools)
    ends = (GrantRow.revoked_at, GrantRow.ends_at)
    return select(GrantRow.id, *held, *ends).where(GrantRow.id == grant_id).cte("standing")


def alive(standing: CTE, client_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the grant holds, and its person and client may act."""
    person = exists().where(UserRow.id == only(standing.c.user_id), UserRow.disabled_at.is_(None))
    client = exists().where(ClientRow.client_id == client_id, *MAY_ACT)
    return and_(holds(standing.c), person, client)


def columns_of(family: CTE, standing: CTE) -> tuple[ColumnElement[Any], ...]:
    """What `authority` reads."""
    return (
        family.c.id.label("family_id"),
        family.c.client_id,
        family.c.resource,
        family.c.scopes,
        family.c.auth_time,
        family.c.methods,
        family.c.status_position,
        standing.c.id.label("grant_id"),
        standing.c.user_id,
        standing.c.redirect_host,
        standing.c.scopes.label("held"),
        standing.c.tools,
        standing.c.ends_at,
    )


def only(column: ColumnElement[Any]) -> ScalarSelect[Any]:
    """The value of *column* in the one row that its part has."""
    return select(column).scalar_subquery()


def authority(row: Found, *, family_id: str | None = None, position: int | None = None) -> Authority:
    """The authority that *row* tells: its scopes are those that the grant still holds (``held``).

    *family_id* and *position* are those of a family that is only being made.
    """
    scopes, held = words(row.scopes), words(row.held)
    return Authority(
        subject=row.user_id,
        client_id=row.client_id,
        grant_id=row.grant_id,
        family_id=family_id or row.family_id,
        resource=row.resource,
        scopes=tuple(name for name in scopes if name in held),
        auth_time=row.auth_time,
        methods=words(row.methods),
        position=position if family_id else row.status_position,
        tools=row.tools,
        redirect_host=row.redirect_host,
        ends_at=row.ends_at,
    )


def subject_of(row: Found) -> dict[str, str]:
    """Whom and what an event about *row* is about."""
    return {name: getattr(row, name) for name in ("user_id", "client_id", "resource", "grant_id")}


def words(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """A column of words; a statement in plain SQL gives its text."""
    return tuple(value.split()) if isinstance(value, str) else value
