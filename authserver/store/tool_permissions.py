"""Single permissions of tools: used up, and asked for (EX-7)."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ..protocol import credential, tool_permission
from ..protocol.access_token import Authority, TokenId
from ..protocol.audit import Event
from ..protocol.resource import Resource
from ..protocol.scope import expand
from ..protocol.way import Way
from .access_tokens import STANDING
from .audit import record
from .authority import authority, holds
from .clock import now
from .database import Database
from .driver import Found
from .models import GrantRow, ToolChallengeRow

CHALLENGE_SECONDS = 600
MOST_WAITING = 100
"""Challenges of one grant at a time."""

LIVE = select(GrantRow.scopes, GrantRow.tools).where(GrantRow.id == bindparam("grant_id"), holds(GrantRow))
WAITING = select(ToolChallengeRow.id, ToolChallengeRow.tool, ToolChallengeRow.way, ToolChallengeRow.once).where(
    ToolChallengeRow.grant_id == bindparam("grant_id"), ToolChallengeRow.expires_at > now
)
OF_PERSON = (
    select(ToolChallengeRow.id, ToolChallengeRow.tool, ToolChallengeRow.way, ToolChallengeRow.once)
    .join(GrantRow, GrantRow.id == ToolChallengeRow.grant_id)
    .where(
        ToolChallengeRow.expires_at > now,
        holds(GrantRow),
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


@dataclass(frozen=True, slots=True)
class SingleCall:
    """A call of ``tool`` that needs ``permission``, the ``once`` of a token's detail."""

    tool: str
    permission: str


class ToolPermissionStore:
    """What grants say of single tools, as guards use it up and ask for more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def consume(self, token_id: TokenId, resource: Resource, call: SingleCall, event: Event) -> bool:
        """Use up the permission for *call* at *resource*; False if it is not there, or opens nothing (any more).

        It opens what a new token would say of it: until it ends, by the database's clock, while the grant holds the
        tool's scopes, and while *resource*, as its catalogue is now, has the tool as somebody agreed to it. Of any
        number of concurrent uses, in whatever processes, exactly one gets True. The refused ones are audited too.
        """
        with self._database.transaction() as connection:
            found = connection.execute(STANDING, {"family_id": token_id.family_id, "jti": str(token_id)}).one_or_none()
            stands = authority(found) if found is not None and found.resource == resource.identifier else None
            used = stands is not None and self._use(connection, stands, resource, call)
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
            # In line with others who ask for the same client: the same challenge gets one id.
            connection.execute(select(GrantRow.id).where(GrantRow.id == found.grant_id).with_for_update(key_share=True))
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
    def _use(connection: Connection, stands: Authority, resource: Resource, call: SingleCall) -> bool:
        grant = connection.execute(LIVE.with_for_update(), {"grant_id": stands.grant_id}).one_or_none()
        permissions = tool_permission.read(grant.tools) if grant is not None else None
        left = tool_permission.used(permissions or {}, call.tool, call.permission)
        if grant is None or permissions is None or left is None:
            return False
        held = expand([name for name in stands.scopes if name in grant.scopes], resource.scopes)
        asked = {call.tool: permissions[call.tool]}
        # The clock is read under the lock: whoever waited for it has waited for the end too.
        opened = tool_permission.opened(resource, held, asked, connection.execute(select(now)).scalar_one())
        if all(way.once != call.permission for _, way in opened):
            return False
        changed = update(GrantRow).where(GrantRow.id == stands.grant_id)
        connection.execute(changed.values(tools=tool_permission.written(left)))
        return True


def _challenge(row: Found) -> Challenge:
    return Challenge(row.tool, Way(**row.way), row.once, row.id)
