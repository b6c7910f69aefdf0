"""Access tokens: whether one that was issued still stands (RFC 7009, RFC 7662)."""

from sqlalchemy import Connection, Text, bindparam, exists, func, select

from ..protocol.access_token import Authority, ClientAuthority, TokenId
from ..protocol.audit import Event
from . import own_places, postgresql, sqlite
from .audit import record
from .authority import CLIENT_ALONE, alive, authority, columns_of, family_of, only, standing_of
from .clock import now
from .database import Database
from .ended import AFTER_EXPIRY
from .failures import repeatable
from .models import ClientPositionRow, FamilyRow, RevokedAccessTokenRow
from .positions import move

ISSUE = {"postgresql": postgresql.issue, "sqlite": sqlite.issue}
UNREVOKED = ~exists().where(RevokedAccessTokenRow.jti == bindparam("jti"))
FAMILY = family_of(bindparam("family_id", type_=Text))
GRANT = standing_of(only(FAMILY.c.grant_id))
STANDING = (
    select(*columns_of(FAMILY, GRANT))
    .join_from(FAMILY, GRANT, GRANT.c.id == FAMILY.c.grant_id)
    .where(
        FAMILY.c.revoked_at.is_(None),
        alive(GRANT, only(FAMILY.c.client_id)),
        UNREVOKED,
    )
)
MOST_LISTED = 2000
"""Tokens of a resource on the list of those that were revoked alone."""

LISTED = select(func.count()).select_from(
    select(RevokedAccessTokenRow.jti)
    .where(RevokedAccessTokenRow.expires_at > now - AFTER_EXPIRY, RevokedAccessTokenRow.resource == bindparam("of"))
    .limit(MOST_LISTED)
    .subquery()
)
ALONE = CLIENT_ALONE.where(UNREVOKED)


class AccessTokenStore:
    """Access tokens are not saved; what they stand on is, and which of them were revoked one by one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, authority: ClientAuthority, ceiling: tuple[str, ...], event: Event) -> int | None:
        """Note that a client gets a token for itself; returns the token's place on the status lists.

        None, with nothing noted, if it may not act alone any more, or *ceiling* is not all that it is allowed at
        the resource.
        """
        return ISSUE[self._database.dialect](self._database, authority, ceiling, event)

    @repeatable
    def revoke(self, jti: str, expires_at: int, event: Event) -> None:
        """Revoke one token, which would expire at *expires_at* (Unix seconds) anyway.

        The list that guards fetch is short: when it is full, the token's family, or the client of a token for itself,
        takes another place instead, which ends its other access tokens too. Nobody can fill the list until no guard
        takes it. *event* tells client and resource.
        """
        revoked = self._database.insert(RevokedAccessTokenRow).values(jti=jti, expires_at=expires_at, revoked_at=now)
        with self._database.transaction() as connection:
            full = connection.execute(LISTED, {"of": event.resource}).scalar_one() >= MOST_LISTED
            new = revoked.values(resource=None if full else event.resource).on_conflict_do_nothing()
            if connection.execute(new.returning(RevokedAccessTokenRow.jti)).first() and full:
                _move(connection, TokenId.parse(jti), event)
            record(connection, event)

    def authority(self, token_id: TokenId) -> Authority | None:
        """What the token stands on, or None once it, its family, grant, person or client has ended.

        Whether the token itself has expired, its claims tell.
        """
        row = self._database.look_up(STANDING, {"family_id": token_id.family_id, "jti": str(token_id)})
        return authority(row) if row else None

    def ceiling(self, token_id: TokenId, client_id: str, resource: str, issued_at: int) -> tuple[str, ...]:
        """What the client of a token for itself is allowed at *resource* now.

        Nothing once the token or the client has ended; *issued_at* (Unix seconds) tells it from a former client of
        the same id.
        """
        row = self._database.look_up(ALONE, {"client_id": client_id, "jti": str(token_id)})
        return tuple(row.ceilings.get(resource, ())) if row and row.created_at <= issued_at else ()


def _move(connection: Connection, token_id: TokenId | None, event: Event) -> None:
    if token_id and token_id.stands_on_client:
        of_client = ClientPositionRow.client_id == event.client_id
        own_places.move(connection, of_client & (ClientPositionRow.resource == event.resource))
    elif token_id:
        move(connection, FamilyRow.id == token_id.family_id)
