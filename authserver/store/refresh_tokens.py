"""Refresh tokens in their families: implements `protocol.ports.RefreshTokens`."""

from sqlalchemy import bindparam, case, select, update
from sqlalchemy.orm import aliased

from ..protocol.access_token import Authority
from ..protocol.audit import Event
from ..protocol.refresh_token import Rotation, TokenState
from . import postgresql, sqlite
from .authority import alive, authority, columns_of, family_of, only, standing_of
from .clock import now
from .database import Database
from .failures import repeatable
from .models import RefreshTokenRow

ROTATE = {"postgresql": postgresql.rotate, "sqlite": sqlite.rotate}
END = {"postgresql": postgresql.end_family, "sqlite": sqlite.end_family}
END_OF = {"postgresql": postgresql.end_family_of, "sqlite": sqlite.end_family_of}

Successor = aliased(RefreshTokenRow)

TOKEN = (
    select(
        RefreshTokenRow.family_id,
        RefreshTokenRow.expires_at,
        RefreshTokenRow.rotated_at,
        RefreshTokenRow.successor_digest,
    )
    .where(RefreshTokenRow.digest == bindparam("digest"))
    .cte("token")
)
FAMILY = family_of(only(TOKEN.c.family_id))
GRANT = standing_of(only(FAMILY.c.grant_id))
UNEXPIRED = (FAMILY.c.expires_at > now) & FAMILY.c.revoked_at.is_(None)
STATE = (
    select(
        *columns_of(FAMILY, GRANT),
        case((UNEXPIRED & alive(GRANT, only(FAMILY.c.client_id)), 1), else_=0).label("alive"),
        case((TOKEN.c.expires_at <= now, 1), else_=0).label("expired"),
        (now - TOKEN.c.rotated_at).label("age"),
        TOKEN.c.successor_digest,
        # A successor that was purged has expired, so it can no more be handed out than one that was used.
        case((Successor.digest.is_not(None) & Successor.rotated_at.is_(None), 0), else_=1).label("successor_used"),
        Successor.sealed,
    )
    .join_from(TOKEN, FAMILY, FAMILY.c.id == TOKEN.c.family_id)
    .join(GRANT, GRANT.c.id == FAMILY.c.grant_id)
    .outerjoin(Successor, Successor.digest == only(TOKEN.c.successor_digest))
)


class RefreshTokenStore:
    """Refresh tokens; a redeemed code begins a family (`codes.CodeStore.redeem`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @repeatable
    def rotate(self, attempt: Rotation, event: Event) -> Authority | None:
        """Replace the presented token by its successor and return what it stands on, or None.

        Only the first of concurrent attempts hits; only a live token of a live family, grant, person and client, for
        the asked resource. The sealed copy of the presented token is erased. None also where the attempt had hit and
        was repeated, since its answer was lost: `protocol.refresh_token.judge` tells by its successor.
        """
        return ROTATE[self._database.dialect](self._database, attempt, event)

    def state(self, digest: bytes) -> TokenState | None:
        """The token as it stands now, in a fresh snapshot."""
        row = self._database.look_up(STATE, {"digest": digest})
        if row is None:
            return None
        stands_on = authority(row)
        return TokenState(
            client_id=row.client_id,
            authority=stands_on,
            alive=bool(row.alive and stands_on.scopes),
            expired=bool(row.expired),
            age=row.age,
            successor_digest=row.successor_digest,
            successor_used=bool(row.successor_used),
            sealed_successor=row.sealed,
        )

    def revoke(self, digest: bytes, client_id: str, event: Event) -> None:
        """End the family of a token, also of one that was rotated since; nothing for one that is not *client_id*'s."""
        if self._revoke_at_once(digest, client_id, event):
            return
        # Nothing to end, or somebody has it locked: then it is waited for.
        state = self.state(digest)
        if state and state.client_id == client_id:
            self.revoke_family(state.authority.family_id, event)

    @repeatable
    def _revoke_at_once(self, digest: bytes, client_id: str, event: Event) -> bool:
        return END_OF[self._database.dialect](self._database, digest, client_id, event)

    @repeatable
    def revoke_family(self, family_id: str, event: Event) -> bool:
        """End a family: its refresh tokens, and its access tokens for introspection. False if it had ended already."""
        return END[self._database.dialect](self._database, family_id, event)

    def erase_sealed(self, window: int, limit: int) -> int:
        """Erase the copies of at most *limit* tokens made more than *window* seconds ago; returns how many (TK-4)."""
        stale = (
            select(RefreshTokenRow.digest)
            .where(RefreshTokenRow.sealed.is_not(None), RefreshTokenRow.created_at < now - window)
            .order_by(RefreshTokenRow.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._database.transaction() as connection:
            digests = connection.scalars(stale).all()
            connection.execute(update(RefreshTokenRow).where(RefreshTokenRow.digest.in_(digests)).values(sealed=None))
        return len(digests)
