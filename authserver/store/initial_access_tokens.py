"""Initial access tokens: who has one may register clients (RFC 7591 §3).

`clients.ClientStore.register` uses them up.
"""

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from ..protocol import credential
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .models import InitialAccessTokenRow


@dataclass(frozen=True, slots=True)
class InitialAccessToken:
    """A token as it is listed; times in Unix seconds, ``expires_at`` and ``uses_left`` of None mean without end."""

    id: str
    label: str
    created_at: int
    expires_at: int | None
    uses_left: int | None
    revoked_at: int | None
    expired: bool

    @property
    def is_good(self) -> bool:
        """Whether it still admits a registration."""
        return self.revoked_at is None and not self.expired and self.uses_left != 0


LISTING = select(
    InitialAccessTokenRow.id,
    InitialAccessTokenRow.label,
    InitialAccessTokenRow.created_at,
    InitialAccessTokenRow.expires_at,
    InitialAccessTokenRow.uses_left,
    InitialAccessTokenRow.revoked_at,
    (InitialAccessTokenRow.expires_at <= now).label("expired"),
)


class InitialAccessTokenStore:
    """Tokens by their digest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, digest: bytes, label: str, uses: int | None, lifetime: int | None, event: Event) -> str:
        """Save a token for *uses* registrations within *lifetime* seconds (None: without end); returns its id."""
        made = {
            "id": credential.identifier(),
            "digest": digest,
            "label": label,
            "created_at": now,
            "expires_at": None if lifetime is None else now + lifetime,
            "uses_left": uses,
        }
        with self._database.transaction() as connection:
            connection.execute(insert(InitialAccessTokenRow).values(**made))
            record(connection, event.about(detail={**event.detail, "id": made["id"], "label": label}))
        return str(made["id"])

    def find(self, digest: bytes) -> InitialAccessToken | None:
        """The token of that digest, good or not."""
        with self._database.reading() as connection:
            row = connection.execute(LISTING.where(InitialAccessTokenRow.digest == digest)).one_or_none()
        return None if row is None else _listing(row._asdict())

    def all(self) -> tuple[InitialAccessToken, ...]:
        """Every token, the oldest first."""
        ordered = LISTING.order_by(InitialAccessTokenRow.created_at, InitialAccessTokenRow.id)
        with self._database.reading() as connection:
            return tuple(_listing(row._asdict()) for row in connection.execute(ordered))

    def revoke(self, token_id: str, event: Event) -> bool:
        """End a token; the clients that it admitted stay. False if there is none that lives."""
        living = update(InitialAccessTokenRow).where(
            InitialAccessTokenRow.id == token_id, InitialAccessTokenRow.revoked_at.is_(None)
        )
        with self._database.transaction() as connection:
            if not connection.execute(living.values(revoked_at=now)).rowcount:
                return False
            record(connection, event.about(detail={**event.detail, "id": token_id}))
        return True


def _listing(columns: dict[str, object]) -> InitialAccessToken:
    return InitialAccessToken(**{**columns, "expired": bool(columns["expired"])})  # type: ignore[arg-type]
