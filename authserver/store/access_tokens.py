"""Access tokens: whether one that was issued still stands (RFC 7009, RFC 7662)."""

from sqlalchemy import bindparam, exists, select

from ..protocol.access_token import Authority, TokenId
from ..protocol.audit import Event
from .audit import record
from .authority import LIVE, OF_FAMILY, authority
from .database import Database
from .models import ClientRow, FamilyRow, GrantRow, RevokedAccessTokenRow, UserRow

STANDING = (
    select(*OF_FAMILY)
    .join(GrantRow, GrantRow.id == FamilyRow.grant_id)
    .join(UserRow, UserRow.id == GrantRow.user_id)
    .join(ClientRow, ClientRow.client_id == FamilyRow.client_id)
    .where(
        FamilyRow.id == bindparam("family_id"),
        FamilyRow.revoked_at.is_(None),
        LIVE,
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
