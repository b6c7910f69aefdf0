"""Signing keys: implements `keys.ports.KeyStore`."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .epoch import ConfigEpoch, bump
from .models import SigningKeyRow


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key pair at rest, its private part encrypted; times in Unix seconds, None for what is not decided yet."""

    kid: str
    alg: str
    public_jwk: dict[str, Any]
    sealed_private: bytes
    created_at: int
    signs_from: int | None
    signs_until: int | None
    published_until: int | None


class KeyStore:
    """Key pairs; every change is seen by all nodes within a second."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells the keyrings of other processes of a change."""
        self._database = database
        self._epoch = epoch

    def all(self) -> tuple[StoredKey, ...]:
        """All key pairs, oldest first."""
        columns = [getattr(SigningKeyRow, name) for name in StoredKey.__slots__]
        oldest_first = select(*columns).order_by(SigningKeyRow.created_at, SigningKeyRow.kid)
        with self._database.reading() as connection:
            return tuple(StoredKey(*row) for row in connection.execute(oldest_first))

    def add(
        self,
        *,
        kid: str,
        alg: str,
        public_jwk: dict[str, Any],
        sealed_private: bytes,
        signs_from: int | None,
        event: Event,
    ) -> None:
        """Save a new key pair, published from now on."""
        columns = {"kid": kid, "alg": alg, "public_jwk": public_jwk, "sealed_private": sealed_private}
        with self._database.transaction() as connection:
            connection.execute(insert(SigningKeyRow).values(**columns, created_at=now, signs_from=signs_from))
            bump(connection)
            record(connection, event)
        self._epoch.forget()

    def rotate(self, *, retired: str | None, promoted: str, at: int, published_until: int, event: Event) -> None:
        """In one transaction: *promoted* signs from *at*, *retired* no longer; it is published a while more."""
        with self._database.transaction() as connection:
            first = update(SigningKeyRow).where(SigningKeyRow.kid == promoted)
            connection.execute(first.values(signs_from=at))
            if retired is not None:
                last = update(SigningKeyRow).where(SigningKeyRow.kid == retired)
                connection.execute(last.values(signs_until=at, published_until=published_until))
            bump(connection)
            record(connection, event)
        self._epoch.forget()
