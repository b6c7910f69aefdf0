"""What became of a client: how it came, when it was used last, and how what it says of itself has changed."""

from pydantic import Field

from ...protocol.role import Permission
from ...services.client_history import arrival, revisions
from .clients import Seconds, known
from .operation import Answer, AnyOperation, Call, Nothing, One, reading


class DifferenceState(Answer):
    """A member that changed: what went, and what came."""

    name: str
    gone: list[str]
    new: list[str]


class RevisionState(Answer):
    """A change: when, by which event and whom, and what."""

    at: Seconds
    event: str
    actor: str
    differences: list[DifferenceState]


class ArrivalState(Answer):
    """How a client came here."""

    at_ms: int = Field(description="Unix milliseconds")
    event: str
    actor: str
    address: str


class History(Answer):
    """What became of a client."""

    arrival: ArrivalState | None = Field(description="Null where the trail has it no longer")
    last_used_at: Seconds | None = Field(description="Unix seconds, true to the hour")
    revisions: list[RevisionState] = Field(description="The newest ones, newest first")


def _history(call: Call[One, Nothing]) -> History:
    found, stores = known(call), call.deployment.stores
    came = arrival(stores.audit, found)
    said = came and ArrivalState(
        at_ms=came.at_ms, event=came.event.name, actor=came.event.actor, address=came.event.origin.address
    )
    changes = revisions(stores.client_versions.of(found.client_id))
    return History(
        arrival=said,
        last_used_at=stores.clients.last_used(found.client_id),
        revisions=[RevisionState.model_validate(each) for each in changes],
    )


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/client/history", Permission.CLIENTS_READ, "How a client came, and what of it changed", One, History,
            _history),
)  # fmt: skip
