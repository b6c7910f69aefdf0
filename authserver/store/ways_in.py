"""What alone opens an account: a password, an identity at a provider, a passkey. One stays, whatever is taken."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from .models import FactorRow, IdentityRow, UserRow


class LastWayIn(ValueError):
    """Without it the person could sign in no more."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways in that a deployment has: providers by their ``issuers``, passkeys or not, and always a password."""

    issuers: Collection[str]
    passkeys: bool

    def keep_one(self, connection: Connection, user_id: str) -> None:
        """Raise `LastWayIn` if that person has none left in the transaction of *connection*, which holds their row."""
        password = select(UserRow.id).where(UserRow.id == user_id, UserRow.password_hash != "")
        theirs = and_(IdentityRow.user_id == user_id, IdentityRow.issuer.in_(tuple(self.issuers)))
        # An authenticator app, which has no credential id, follows a password and opens nothing alone.
        live = and_(FactorRow.confirmed_at.is_not(None), FactorRow.credential_id.is_not(None))
        ways = [password, select(IdentityRow.user_id).where(theirs)]
        if self.passkeys:
            ways.append(select(FactorRow.id).where(FactorRow.user_id == user_id, live))
        if not any(connection.execute(way.limit(1)).first() for way in ways):
            raise LastWayIn
