"""Single permissions of tools: used up, and asked for (EX-7)."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ..protocol import credential, tool_permission
from ..protocol.access_token import TokenId
from ..protocol.audit import Event
from ..protocol.way import Way
from .access_tokens import STANDING
from .audit import record
from .authority import authority
from .clock import now
from .database import Database
from .driver import Found
from .models import GrantRow, ToolChallengeRow

CHALLENGE_SECONDS = 600
MOST_WAITING = 100
"""Challenges of one grant at a time."""

LIVE = select(GrantRow.tools).where(GrantRow.id == bindparam("grant_id"), GrantRow.revoked_at.is_(None))
WAITING = select(ToolChallengeRow.id, ToolChallengeRow.tool, ToolChallengeRow.way, ToolChallengeRow.once).where(
    ToolChallengeRow.grant_id == bindparam("grant_id"), ToolChallengeRow.expires_at > now
)
OF_PERSON = (
    select(ToolChallengeRow.id, ToolChallengeRow.tool, ToolChallengeRow.way, ToolChallengeRow.once)
    .join(GrantRow, GrantRow.id == ToolChallengeRow.grant_id)
    .where(
        ToolChallengeRow.expires_at > now,
        GrantRow.user_id == bindparam("user_id"),
        GrantRow.client_id == bindparam("client_id"),
        GrantRow.resource == bindparam("resource"),
    )
    .order_by(ToolChallengeRow.expires_at, ToolChallengeRow.id)
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a guard would have let through if the person had allowed it: ``tool``, called in this ``way``.

    ``once``: it asks for a permission for a single call. ``id`` is empty before it is kept.
    """

    tool: str
    way: Way
    once: bool = False
    id: str = ""


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

        The same challenge has the same id: clients see by the words of a challenge that they have met it before, and
        give up. None, with nothing kept, if the token does not stand (any more) or too much waits already.
        """
        with self._database.transaction() as connection:
            found = connection.execute(STANDING, {"family_id": token_id.family_id, "jti": str(token_id)}).one_or_none()
            if found is None or found.resource != resource:
                return None
            waiting = [_challenge(row) for row in connection.execute(WAITING, {"grant_id": found.grant_id})]
            if same := next((one.id for one in waiting if replace(one, id="") == challenge), None):
                return same
            if len(waiting) >= MOST_WAITING:
                return None
            made = credential.identifier()
            kept = {"id": made, "grant_id": found.grant_id, "tool": challenge.tool, "way": asdict(challenge.way)}
            kept["once"] = challenge.once
            connection.execute(insert(ToolChallengeRow).values(**kept, expires_at=now + CHALLENGE_SECONDS))
            record(connection, event.about(user_id=found.user_id, grant_id=found.grant_id))
        return made

    def challenges(self, user_id: str, client_id: str, resource: str) -> tuple[Challenge, ...]:
        """What this person may be asked about this client now, the oldest first."""
        about = {"user_id": user_id, "client_id": client_id, "resource": resource}
        with self._database.reading() as connection:
            found = connection.execute(OF_PERSON, about).all()
        return tuple(map(_challenge, found))

    def answered(self, challenges: Iterable[Challenge]) -> None:
        """Forget *challenges*: the person has decided, and the same words do not ask a second time."""
        ids = [challenge.id for challenge in challenges]
        if ids:
            with self._database.transaction() as connection:
                connection.execute(delete(ToolChallengeRow).where(ToolChallengeRow.id.in_(ids)))

    @staticmethod
    def _use(connection: Connection, grant_id: str, tool: str, permission: str) -> bool:
        text = connection.execute(LIVE.with_for_update(), {"grant_id": grant_id}).scalar_one_or_none()
        left = tool_permission.used(tool_permission.read(text) or {}, tool, permission)
        if left is None:
            return False
        changed = update(GrantRow).where(GrantRow.id == grant_id)
        connection.execute(changed.values(tools=tool_permission.written(left)))
        return True


def _challenge(row: Found) -> Challenge:
    return Challenge(row.tool, Way(**row.way), row.once, row.id)
