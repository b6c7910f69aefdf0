"""How a person stands to a client, before they are asked: what they allowed, what is remembered (AZ-9, AZ-14)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, Select, Text, and_, bindparam, exists, select
from sqlalchemy.exc import NoResultFound

from ..protocol import tool_permission
from ..protocol.tool_permission import Permissions
from .authority import holds, words
from .database import Database
from .models import ConsentRow, GrantRow


def _statement() -> Select[Any]:
    consent_is = {name: bindparam(name, type_=Text) for name in ("user_id", "client_id", "redirect_host", "resource")}
    both = and_(*(getattr(GrantRow, name) == consent_is[name] for name in ("user_id", "client_id")))
    here = and_(both, *(getattr(GrantRow, name) == consent_is[name] for name in ("redirect_host", "resource")))
    live = and_(here, GrantRow.device_digest == bindparam("device_digest", type_=LargeBinary), holds(GrantRow))
    # As what they knew it when they decided about this; if they never did, when they last decided about anything.
    latest = select(ConsentRow.client_name).where(
        ConsentRow.user_id == consent_is["user_id"], ConsentRow.client_id == consent_is["client_id"]
    )
    exactly = and_(*(getattr(ConsentRow, name) == consent_is[name] for name in ("redirect_host", "resource")))
    latest = latest.order_by(exactly.desc(), ConsentRow.decided_at.desc()).limit(1)
    consented = and_(*(getattr(ConsentRow, name) == value for name, value in consent_is.items()))
    return select(
        latest.scalar_subquery().label("client_name"),
        latest.with_only_columns(ConsentRow.client_identity).scalar_subquery().label("client_identity"),
        select(GrantRow.id).where(live).scalar_subquery().label("grant_id"),
        select(GrantRow.scopes).where(live).scalar_subquery().label("granted"),
        select(GrantRow.tools).where(live).scalar_subquery().label("tools"),
        select(GrantRow.ends_at).where(live).scalar_subquery().label("ends_at"),
        select(GrantRow.session_digest).where(live).scalar_subquery().label("session"),
        select(ConsentRow.scopes).where(consented).scalar_subquery().label("consented"),
        select(ConsentRow.tools).where(consented).scalar_subquery().label("consented_tools"),
        exists().where(both).label("seen_before"),
    )


STANDS = _statement()


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


def stands(
    database: Database, user_id: str, client_id: str, device_digest: bytes, redirect_host: str, resource: str
) -> Standing:
    """See `grants.GrantStore.standing`."""
    where = {"user_id": user_id, "client_id": client_id, "redirect_host": redirect_host, "resource": resource}
    row = database.look_up(STANDS, {**where, "device_digest": device_digest})
    if row is None:
        raise NoResultFound("a SELECT of values has a row")
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
