"""Single permissions of tools: used up, and asked for (EX-7)."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from ..protocol import credential, tool_permission
from ..protocol.access_token import TokenId
from ..protocol.audit import Event
from ..protocol.way import Way
from .access_tokens import STANDING
from .audit import record
from .authority import authority
from .clock import now
from .database import Database
from .models import GrantRow, LimitChallengeRow

CHALLENGE_SECONDS = 600
MOST_WAITING = 100
"""Challenges of one grant at a time."""

LIVE = select(GrantRow.tools).where(GrantRow.id == bindparam("grant_id"), GrantRow.revoked_at.is_(None))
WAITING = select(func.count()).where(
    LimitChallengeRow.grant_id == bindparam("grant_id"), LimitChallengeRow.expires_at > now
)
CHALLENGED = (
    select(LimitChallengeRow.tool, LimitChallengeRow.way)
    .join(GrantRow, GrantRow.id == LimitChallengeRow.grant_id)
    .where(
        LimitChallengeRow.id == bindparam("id"),
        LimitChallengeRow.expires_at > now,
        GrantRow.user_id == bindparam("user_id"),
        GrantRow.client_id == bindparam("client_id"),
        GrantRow.resource == bindparam("resource"),
    )
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a guard would have let through if the person had allowed it: ``tool``, called in this ``way``."""

    tool: str
    way: Way


class ToolPermissionStore:
    """What grants say of single tools, as guards use it up and ask for more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def consume(self, token_id: TokenId, tool: str, permission: str, resource: str, event: Event) -> bool:
        """Use up the *permission* for one call of *tool* at *resource*; False if there is no such thing (any more).

        Of any number of concurrent uses, in whatever processes, exactly one gets True. The refused ones are audited
        too.
        """
        with self._database.transaction() as connection:
            found = connection.execute(STANDING, {"family_id": token_id.family_id, "jti": str(token_id)}).one_or_none()
            stands = authority(found) if found is not None and found.resource == resource else None
            used = stands is not None and self._use(connection, stands.grant_id, tool, permission)
            about = event if stands is None else event.about(user_id=stands.subject, grant_id=stands.grant_id)
            record(connection, about if used else about.about(outcome="refused"))
        return used

    def ask(self, token_id: TokenId, resource: str, challenge: Challenge, event: Event) -> str | None:
        """Keep *challenge*, of the client whose token for *resource* was refused; returns its id, for ten minutes.

        None, with nothing kept, if the token does not stand (any more) or too much waits already.
        """
        with self._database.transaction() as connection:
            found = connection.execute(STANDING, {"family_id": token_id.family_id, "jti": str(token_id)}).one_or_none()
            if found is None or found.resource != resource:
                return None
            if connection.execute(WAITING, {"grant_id": found.grant_id}).scalar_one() >= MOST_WAITING:
                return None
            made = credential.identifier()
            kept = {"id": made, "grant_id": found.grant_id, "tool": challenge.tool, "way": asdict(challenge.way)}
            connection.execute(insert(LimitChallengeRow).values(**kept, expires_at=now + CHALLENGE_SECONDS))
            record(connection, event.about(user_id=found.user_id, grant_id=found.grant_id))
        return made

    def challenges(self, ids: Iterable[str], user_id: str, client_id: str, resource: str) -> tuple[Challenge, ...]:
        """Those of *ids* that this person may be asked about for this client; what is unknown or over is left out."""
        about = {"user_id": user_id, "client_id": client_id, "resource": resource}
        found = []
        with self._database.reading() as connection:
            for each in ids:
                row = connection.execute(CHALLENGED, {"id": each, **about}).one_or_none()
                if row is not None:
                    found.append(Challenge(row.tool, Way(**row.way)))
        return tuple(found)

    @staticmethod
    def _use(connection: Connection, grant_id: str, tool: str, permission: str) -> bool:
        text = connection.execute(LIVE.with_for_update(), {"grant_id": grant_id}).scalar_one_or_none()
        left = tool_permission.used(tool_permission.read(text) or {}, tool, permission)
        if left is None:
            return False
        changed = update(GrantRow).where(GrantRow.id == grant_id)
        connection.execute(changed.values(tools=tool_permission.written(left)))
        return True
