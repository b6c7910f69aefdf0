"""Grants: what a person lets a client do at a resource, from one device (AZ-14)."""

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from ..protocol.audit import Event
from ..protocol.authorization_code import NewCode
from . import grant_ends, postgresql
from .approval import (
    Approval,
    change_grant,
    hold_client,
    hold_grant,
    hold_to_what_stands,
    is_saved,
    remember_consent,
    save_code,
)
from .audit import record
from .authority import holds
from .client_listing import LISTED
from .client_listing import SEARCHED as CLIENTS
from .database import Database
from .ending import BATCH, end_grants, end_some_grants
from .models import ClientRow, FamilyRow, GrantRow, RefreshTokenRow, ResourceRow, UserRow
from .paging import Order, Page, cut
from .searching import Searched
from .standing import Place, Standing, stands
from .users import SEARCHED as PEOPLE
from .withdrawal import withdraw

__all__ = ["BATCH", "Approval", "GrantListing", "GrantStore", "Whose"]

MOST_CALLED = 200


@dataclass(frozen=True, slots=True)
class GrantListing:
    """A grant with the names that people know. ``last_used_at`` is when its newest refresh token was made.

    ``tools`` are decisions about single tools, for `protocol.tool_permission.read`. ``ends_at`` is when it ends by
    itself (None: not at all); ``with_session``: with the browser session in which it was allowed, if that ends earlier.
    """

    id: str
    user_id: str
    username: str
    display_name: str
    client_id: str
    client_name: str
    redirect_host: str
    resource: str
    scopes: tuple[str, ...]
    tools: str | None
    created_at: int
    updated_at: int
    revoked_at: int | None
    last_used_at: int | None
    ends_at: int | None
    with_session: bool

    @property
    def ran_out(self) -> bool:
        """Whether its own end has come, whoever wrote that down."""
        return self.ends_at is not None and self.ends_at <= (self.revoked_at or time.time())


@dataclass(frozen=True, slots=True)
class Whose:
    """Which grants: those of this person, to this client, at this server; what is None matches all."""

    user_id: str | None = None
    client_id: str | None = None
    resource: str | None = None

    @property
    def live(self) -> ColumnElement[bool]:
        """The condition on `GrantRow` that such a grant lives."""
        wanted = {name: value for name, value in asdict(self).items() if value is not None}
        return and_(GrantRow.revoked_at.is_(None), *(getattr(GrantRow, name) == wanted[name] for name in wanted))


NEWEST_TOKEN = (
    select(func.max(RefreshTokenRow.created_at))
    .where(RefreshTokenRow.family_id == FamilyRow.id)
    .correlate(FamilyRow)
    .scalar_subquery()
)
# One look at the end of each family's index: a grant may have thousands of rotated tokens.
LAST_USE = select(func.max(NEWEST_TOKEN)).where(FamilyRow.grant_id == GrantRow.id).correlate(GrantRow).scalar_subquery()
LISTING = (
    select(
        GrantRow.id,
        GrantRow.user_id,
        UserRow.username,
        UserRow.display_name,
        GrantRow.client_id,
        ClientRow.name.label("client_name"),
        GrantRow.redirect_host,
        GrantRow.resource,
        GrantRow.scopes,
        GrantRow.tools,
        GrantRow.created_at,
        GrantRow.updated_at,
        GrantRow.revoked_at,
        LAST_USE.label("last_used_at"),
        GrantRow.ends_at,
        GrantRow.session_digest.is_not(None).label("with_session"),
    )
    .join(UserRow, UserRow.id == GrantRow.user_id)
    .join(ClientRow, ClientRow.client_id == GrantRow.client_id)
)
NEWEST_FIRST = Order(GrantRow.created_at, GrantRow.id)


class GrantStore:
    """Grants, with the consents behind them and the codes that come of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, user_id: str, place: Place) -> Standing:
        """How this person stands at this place."""
        return stands(self._database, user_id, place)

    def approve(self, approval: Approval, code: NewCode, event: Event) -> str | None:
        """Write a decision down and save the code that comes of it; returns the grant's id.

        Widens this device's live grant, or makes one; ends no refresh family. Safe under concurrency; a *code* that
        waits to be redeemed was decided on before, and is not decided on twice. None, with nothing done, if the client
        may not act (any more): nobody's registration expires under a decision. Raises `GrantOver`, `SessionOver` (it
        has ended since it was looked at) and `CodeSpent`, with nothing done too. What nobody was asked about
        (``silent``) is refused by `GrantOver` where it does not stand any more, and adds nothing to what is remembered.
        """
        at_once = self._database.dialect == "postgresql" and approval.changes_nothing
        if at_once and postgresql.approve_again(self._database, approval, code, event):
            return approval.kept
        with self._database.transaction() as connection:
            if not hold_client(connection, approval.client_id):
                return None
            if approval.session is not None:  # sessions are locked before grants, by everyone
                grant_ends.hold_session(connection, approval.session)
            term = grant_ends.term(approval.until, approval.session)
            grant = hold_grant(self._database, connection, approval)
            if approval.silent:
                hold_to_what_stands(connection, grant, approval)
            if not is_saved(connection, code):
                lasts = change_grant(connection, grant, approval, term)
                if not approval.silent:  # nobody said anything that was not remembered, or taken back since
                    remember_consent(self._database, connection, approval, lasts=lasts)
                save_code(connection, grant.id, code)
                record(connection, event.about(grant_id=grant.id))
        return str(grant.id)

    def expire(self, limit: int) -> int:
        """Write down that at most *limit* grants have ended by themselves; returns how many.

        What another process is just writing down is left to it.
        """
        with self._database.transaction() as connection:
            return grant_ends.sweep(connection, limit)

    def revoke(self, grant_id: str, event: Event) -> bool:
        """End a grant with its families, its unredeemed codes and its consent. False if it is not live."""
        about = select(GrantRow.user_id, GrantRow.client_id, GrantRow.resource).where(GrantRow.id == grant_id)
        with self._database.transaction() as connection:
            if not end_grants(connection, GrantRow.id == grant_id):
                return False
            grant = connection.execute(about).one()
            record(connection, event.about(grant_id=grant_id, **grant._asdict()))
        return True

    def withdraw(
        self, grant_id: str, scopes: Collection[str], event: Event, tools: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Take *scopes* and *tools* out of a live grant and the consent behind it; returns those that it had of them.

        Its access tokens end, its families go on with what is left; a grant that loses all ends (`revoke`). Nothing is
        done where there is nothing to take.
        """
        about = select(GrantRow.user_id, GrantRow.client_id, GrantRow.resource).where(GrantRow.id == grant_id)
        with self._database.transaction() as connection:
            taken = withdraw(connection, grant_id, scopes, tools)
            if taken:
                told = {**event.detail, "withdrawn": " ".join(taken)}
                grant = connection.execute(about).one()
                record(connection, event.about(grant_id=grant_id, **grant._asdict(), detail=told))
        return taken

    def revoke_all(self, whose: Whose, event: Event, *, limit: int = BATCH) -> int:
        """End live grants of those that *whose* tells, at most *limit* of them; returns how many.

        There may be more, until it returns 0: so many that one transaction would hold up all others, or what was just
        being allowed by what had been allowed before, which has ended by then.
        """
        with self._database.transaction() as connection:
            ended = end_some_grants(connection, whose.live, limit)
            if ended:
                detail = {**event.detail, "grants": ended}
                record(connection, event.about(**asdict(whose), detail=detail))
        return ended

    def count_live(self, whose: Whose, most: int) -> int:
        """How many live grants *whose* tells; counting ends at *most*."""
        some = select(GrantRow.id).where(whose.live).limit(most).subquery()
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(some)).scalar_one()

    def page(self, query: str, after: str | None, limit: int) -> Page[GrantListing]:
        """Grants, ended ones too, whose person, client or resource has *query* in its name; newest first.

        Of people, and of clients that are not deleted, the newest `MOST_CALLED` that are called so are looked at.
        """
        return self._page(LISTING.where(self._called(query)) if query else LISTING, after, limit)

    def of_client(self, client_id: str, limit: int) -> Page[GrantListing]:
        """The newest grants to a client, ended ones too."""
        return self._page(LISTING.where(GrantRow.client_id == client_id), None, limit)

    def for_user(self, user_id: str, limit: int | None = None) -> tuple[GrantListing, ...]:
        """The live grants of a person, newest first; all, or the first *limit*."""
        live = LISTING.where(GrantRow.user_id == user_id, holds(GrantRow))
        return tuple(self._list(live.order_by(GrantRow.created_at.desc(), GrantRow.id.desc()).limit(limit)))

    def find(self, grant_id: str) -> GrantListing | None:
        """The grant of that id, ended or not."""
        return next(iter(self._list(LISTING.where(GrantRow.id == grant_id))), None)

    def owner(self, grant_id: str) -> str | None:
        """Whose grant it is, ended or not."""
        with self._database.reading() as connection:
            return connection.scalar(select(GrantRow.user_id).where(GrantRow.id == grant_id))

    def _page(self, statement: Select[*tuple[Any, ...]], after: str | None, limit: int) -> Page[GrantListing]:
        found = self._list(NEWEST_FIRST.limit(statement, after, limit))
        return cut(found, limit, lambda line: (line.created_at, line.id))

    def _called(self, query: str) -> ColumnElement[bool]:
        """Which grants: looked up first, so that an index leads to them."""
        resources = select(ResourceRow.identifier).where(ResourceRow.identifier.icontains(query, autoescape=True))
        with self._database.reading() as connection:
            theirs = {
                GrantRow.client_id: self._newest(connection, CLIENTS, query, LISTED),
                GrantRow.user_id: self._newest(connection, PEOPLE, query),
                GrantRow.resource: connection.scalars(resources).all(),
            }
        return or_(GrantRow.client_id == query, *(column.in_(found) for column, found in theirs.items() if found))

    def _newest(
        self, connection: Connection, searched: Searched, query: str, *others: ColumnElement[bool]
    ) -> Sequence[str]:
        """The ids of the newest `MOST_CALLED` rows that are called so."""
        found: Sequence[str] = ()
        for way in searched.ways(query, None, MOST_CALLED - 1, self._database.dialect, *others):
            wanted = select(searched.order.identity).where(way)
            found = connection.scalars(searched.order.limit(wanted, None, MOST_CALLED - 1)).all()
            if len(found) == MOST_CALLED:
                break
        return found

    def _list(self, statement: Select[*tuple[Any, ...]]) -> list[GrantListing]:
        with self._database.reading() as connection:
            return [GrantListing(**row._asdict()) for row in connection.execute(statement)]
