"""Authorization codes: implements `protocol.ports.Codes`."""

from sqlalchemy import bindparam, case, select

from ..protocol.audit import Event
from ..protocol.authorization_code import CodeState, Redeemed, Redemption
from . import postgresql, sqlite
from .clock import now
from .database import Database
from .models import CodeRow

REDEEM = {"postgresql": postgresql.redeem, "sqlite": sqlite.redeem}

STATE = select(
    CodeRow.client_id,
    CodeRow.redirect_uri,
    CodeRow.challenge,
    CodeRow.resource,
    case((CodeRow.expires_at <= now, 1), else_=0).label("expired"),
    (now - CodeRow.redeemed_at).label("age"),
    CodeRow.family_id,
).where(CodeRow.digest == bindparam("digest"))


class CodeStore:
    """Codes; a grant's approval saves them (`grants.GrantStore.approve`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def redeem(self, attempt: Redemption, event: Event) -> Redeemed | None:
        """Consume the code and create its refresh family, or return None.

        Of any number of concurrent attempts exactly one gets an authority, and only when client, redirect URI and
        challenge are right, and grant, person and client alive. A wrong redirect URI or challenge from the code's own
        client ends the code; a wrong client or resource does not touch it.
        """
        return REDEEM[self._database.dialect](self._database, attempt, event)

    def state(self, digest: bytes) -> CodeState | None:
        """The code as it stands now, in a fresh snapshot."""
        row = self._database.look_up(STATE, {"digest": digest})
        if row is None:
            return None
        return CodeState(
            client_id=row.client_id,
            redirect_uri=row.redirect_uri,
            challenge=row.challenge,
            resource=row.resource,
            expired=bool(row.expired),
            age=row.age,
            family_id=row.family_id,
        )
