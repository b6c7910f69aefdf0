"""Access tokens: whether one that was issued still stands (RFC 7009, RFC 7662)."""

from sqlalchemy import Text, bindparam, exists, select

from ..protocol.access_token import Authority, TokenId
from ..protocol.audit import Event
from .audit import record
from .authority import alive, authority, columns_of, family_of, only, standing_of
from .database import Database
from .models import RevokedAccessTokenRow

FAMILY = family_of(bindparam("family_id", type_=Text))
GRANT = standing_of(only(FAMILY.c.grant_id))
STANDING = (
    select(*columns_of(FAMILY, GRANT))
    .join_from(FAMILY, GRANT, GRANT.c.id == FAMILY.c.grant_id)
    .where(
        FAMILY.c.revoked_at.is_(None),
        alive(GRANT, only(FAMILY.c.client_id)),
        ~exists().where(RevokedAccessTokenRow.jti == bindparam("jti")),
    )
)


class AccessTokenStore:
    """Access tokens are not saved; what they stand on is, and which of them were revoked one by one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revoke(self, jti: str, expires_at: int, event: Event) -> None:
        """Revoke one token, which would expire at *expires_at* (Unix seconds) anyway."""
        revoked = self._database.insert(RevokedAccessTokenRow).values(jti=jti, expires_at=expires_at)
        with self._database.transaction() as connection:
            connection.execute(revoked.on_conflict_do_nothing())
            record(connection, event)

    def authority(self, token_id: TokenId) -> Authority | None:
        """What the token stands on, or None once it, its family, grant, person or client has ended.

        Whether the token itself has expired, its claims tell.
        """
        row = self._database.look_up(STANDING, {"family_id": token_id.family_id, "jti": str(token_id)})
        return authority(row) if row else None
