"""Grants as somebody looks for them: by what they are about, and by what hangs on them."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from .authority import holds
from .database import Database
from .grants import LISTING, NEWEST_FIRST, GrantListing
from .models import CodeRow, FamilyRow, GrantRow, RefreshTokenRow, RevokedAccessTokenRow
from .paging import Page, cut

LOOKED_AT = 2000  # grants in which one page looks for a scope
MOST_FAMILIES = 50


@dataclass(frozen=True, slots=True)
class GrantFilter:
    """Which grants to list; what is None matches all. ``live``: only those that have not ended."""

    user_id: str | None = None
    client_id: str | None = None
    resource: str | None = None
    scope: str | None = None
    live: bool = False

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """All but the scope, on `GrantRow`."""
        names = ("user_id", "client_id", "resource")
        fits = [getattr(GrantRow, name) == value for name in names if (value := getattr(self, name)) is not None]
        return [*fits, holds(GrantRow)] if self.live else fits


@dataclass(frozen=True, slots=True)
class Family:
    """A refresh family under a grant; times in Unix seconds. ``last_used_at`` is when its newest token was made."""

    id: str
    grant_id: str
    client_id: str
    resource: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None
    last_used_at: int | None


NEWEST_TOKEN = (
    select(func.max(RefreshTokenRow.created_at))
    .where(RefreshTokenRow.family_id == FamilyRow.id)
    .correlate(FamilyRow)
    .scalar_subquery()
)
FAMILIES = select(
    FamilyRow.id,
    FamilyRow.grant_id,
    FamilyRow.client_id,
    FamilyRow.resource,
    FamilyRow.scopes,
    FamilyRow.created_at,
    FamilyRow.expires_at,
    FamilyRow.revoked_at,
    NEWEST_TOKEN.label("last_used_at"),
)


class GrantSearch:
    """Looks for grants and families."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, wanted: GrantFilter, after: str | None, limit: int) -> Page[GrantListing]:
        """Grants that fit *wanted*, newest first.

        A page looks for a scope in `LOOKED_AT` grants, so it may have fewer lines than *limit* and another after it.
        """
        if wanted.scope is not None:
            return self._with_scope(wanted, after, limit)
        found = self._list(NEWEST_FIRST.limit(LISTING.where(*wanted.conditions), after, limit))
        return cut(found, limit, lambda line: (line.created_at, line.id))

    def families(self, grant_id: str) -> tuple[Family, ...]:
        """The newest families of a grant, newest first; `MOST_FAMILIES` at most."""
        found = FAMILIES.where(FamilyRow.grant_id == grant_id).order_by(FamilyRow.created_at.desc(), FamilyRow.id)
        with self._database.reading() as connection:
            return tuple(Family(**row._asdict()) for row in connection.execute(found.limit(MOST_FAMILIES)))

    def family(self, family_id: str) -> Family | None:
        """The family of that id, ended or not."""
        with self._database.reading() as connection:
            row = connection.execute(FAMILIES.where(FamilyRow.id == family_id)).one_or_none()
        return Family(**row._asdict()) if row else None

    def of_code(self, digest: bytes) -> str | None:
        """The id of the grant that a code belongs to; None if there is no such code (any more)."""
        with self._database.reading() as connection:
            return connection.scalar(select(CodeRow.grant_id).where(CodeRow.digest == digest))

    def revoked_alone(self, jti: str) -> bool:
        """Whether this one access token was revoked, and would not have expired yet."""
        revoked = select(RevokedAccessTokenRow.jti).where(RevokedAccessTokenRow.jti == jti)
        with self._database.reading() as connection:
            return connection.scalar(revoked) is not None

    def _with_scope(self, wanted: GrantFilter, after: str | None, limit: int) -> Page[GrantListing]:
        place = select(GrantRow.created_at, GrantRow.id, GrantRow.scopes).where(*wanted.conditions)
        with self._database.reading() as connection:
            looked_at = connection.execute(NEWEST_FIRST.limit(place, after, LOOKED_AT)).all()
        fits = [row for row in looked_at[:LOOKED_AT] if wanted.scope in row.scopes][: limit + 1]
        places = {row.id: index for index, row in enumerate(fits)}
        lines = self._list(LISTING.where(GrantRow.id.in_(places)))
        page = cut(sorted(lines, key=lambda line: places[line.id]), limit, lambda line: (line.created_at, line.id))
        if page.after is None and len(looked_at) > LOOKED_AT:
            last = looked_at[LOOKED_AT - 1]
            return Page(page.lines, f"{last.created_at}.{last.id}")
        return page

    def _list(self, statement: Select[*tuple[object, ...]]) -> list[GrantListing]:
        with self._database.reading() as connection:
            return [GrantListing(**row._asdict()) for row in connection.execute(statement)]
