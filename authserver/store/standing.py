"""How a person stands to a client, before they are asked: what they allowed, what is remembered (AZ-9, AZ-14)."""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    LargeBinary,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import aliased

from ..protocol import tool_permission
from ..protocol.tool_permission import Permissions
from .authority import holds, words
from .database import Database
from .models import ConsentRow, GrantRow

LATELY_SECONDS = 0.25


class Place(NamedTuple):
    """Where somebody decides: about which client, whose answers go to which host, at which resource, on which device.

    Its fields are parameters of what `beside` makes.
    """

    client_id: str
    redirect_host: str
    resource: str
    device_digest: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to a client at a resource.

    ``granted`` are the scopes of this device's live grant, which ends by itself at ``ends_at`` (Unix seconds; None: not
    at all), and before that ``with_session``; ``consented`` are those agreed to on any device; ``tools`` and
    ``consented_tools`` are the decisions about single tools (`protocol.tool_permission`), None where there are none;
    ``seen_before`` says that this person ever granted this client anything, anywhere; ``client_name`` and
    ``client_identity`` are what the client was when they agreed to something here, or else last to anything (or None).
    """

    grant_id: str | None
    granted: frozenset[str]
    consented: frozenset[str]
    seen_before: bool
    client_name: str | None
    client_identity: bytes | None
    tools: Permissions | None = None
    consented_tools: Permissions | None = None
    ends_at: int | None = None
    with_session: bool = False


@dataclass(frozen=True, slots=True)
class Stood:
    """How somebody stood at a ``place``, and ``when`` (seconds of the process's clock): at the beginning of a request.

    Between that and a decision the server may have fetched a document, and as long as that takes things may change.
    """

    place: Place
    standing: Standing
    when: float

    def lately_at(self, place: Place) -> Standing | None:
        """How they stand at *place*, if this is about it, and of a moment ago."""
        return self.standing if self.place == place and time.monotonic() - self.when < LATELY_SECONDS else None


def beside(statement: Select[Any], user_id: SQLColumnExpression[str]) -> Select[Any]:
    """*statement*, with how the person of *user_id* stands at a `Place` beside each of its rows, for `stood`.

    Each of both joins is on all columns of a unique key, so that one row stays one, and is found by that.
    """
    place: dict[str, SQLColumnExpression[str]] = {
        name: bindparam(name, type_=Text) for name in ("client_id", "redirect_host", "resource")
    }
    place["user_id"] = user_id
    live = and_(
        *(getattr(GrantRow, name) == value for name, value in place.items()),
        GrantRow.device_digest == bindparam("device_digest", type_=LargeBinary),
        holds(GrantRow),
    )
    here = and_(*(getattr(ConsentRow, name) == value for name, value in place.items()))
    ever, last = aliased(GrantRow), aliased(ConsentRow)
    ever_granted = exists().where(ever.user_id == user_id, ever.client_id == place["client_id"])
    # What they knew the client as when they decided about this; if they never did, when they last decided at all.
    latest = select(last.client_name).where(
        last.user_id == user_id, last.client_id == place["client_id"], ConsentRow.user_id.is_(None)
    )
    latest = latest.order_by(last.decided_at.desc()).limit(1)
    known_as = {
        "client_name": (ConsentRow.client_name, latest),
        "client_identity": (ConsentRow.client_identity, latest.with_only_columns(last.client_identity)),
    }
    return (
        statement.add_columns(
            *(func.coalesce(now, then.scalar_subquery()).label(name) for name, (now, then) in known_as.items()),
            GrantRow.id.label("grant_id"),
            GrantRow.scopes.label("granted"),
            GrantRow.tools,
            GrantRow.ends_at,
            GrantRow.session_digest.label("session"),
            ConsentRow.scopes.label("consented"),
            ConsentRow.tools.label("consented_tools"),
            or_(GrantRow.id.is_not(None), ever_granted).label("seen_before"),
        )
        .outerjoin(GrantRow, live)
        .outerjoin(ConsentRow, here)
    )


ONE_ROW = select(literal(1).label("only")).subquery()
STANDS = beside(select(ONE_ROW).select_from(ONE_ROW), bindparam("user_id", type_=Text))


def stands(database: Database, user_id: str, place: Place) -> Standing:
    """See `grants.GrantStore.standing`."""
    row = database.look_up(STANDS, {**place._asdict(), "user_id": user_id})
    if row is None:
        raise NoResultFound("a SELECT of a value has a row")
    return _standing(row)


def stood(row: Any, place: Place) -> Stood:  # noqa: ANN401 - a row of what `beside` makes
    """What a *row* of `beside`, which was asked for just now, says of *place*."""
    return Stood(place, _standing(row), time.monotonic())


def _standing(row: Any) -> Standing:  # noqa: ANN401 - a row of what `beside` makes
    return Standing(
        grant_id=row.grant_id,
        granted=frozenset(words(row.granted or "")),
        tools=tool_permission.read(row.tools),
        consented=frozenset(words(row.consented or "")),
        consented_tools=tool_permission.read(row.consented_tools),
        seen_before=bool(row.seen_before),
        client_name=row.client_name,
        client_identity=row.client_identity,
        ends_at=row.ends_at,
        with_session=row.session is not None,
    )
