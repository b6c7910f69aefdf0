"""How a person stands to a client, before they are asked: what they allowed, what is remembered (AZ-9, AZ-14)."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, select

from ..protocol import tool_permission
from ..protocol.tool_permission import Permissions
from .authority import holds
from .models import ConsentRow, GrantRow


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
    connection: Connection, user_id: str, client_id: str, device_digest: bytes, redirect_host: str, resource: str
) -> Standing:
    """See `grants.GrantStore.standing`."""
    both = and_(GrantRow.user_id == user_id, GrantRow.client_id == client_id)
    here = and_(both, GrantRow.redirect_host == redirect_host, GrantRow.resource == resource)
    live = and_(here, GrantRow.device_digest == device_digest, holds(GrantRow))
    consent = {"user_id": user_id, "client_id": client_id, "redirect_host": redirect_host, "resource": resource}
    # As what they knew it when they decided about this; if they never did, when they last decided about anything.
    latest = select(ConsentRow.client_name).where(ConsentRow.user_id == user_id, ConsentRow.client_id == client_id)
    exactly = and_(ConsentRow.redirect_host == redirect_host, ConsentRow.resource == resource)
    latest = latest.order_by(exactly.desc(), ConsentRow.decided_at.desc()).limit(1)
    statement = select(
        latest.scalar_subquery().label("client_name"),
        latest.with_only_columns(ConsentRow.client_identity).scalar_subquery().label("client_identity"),
        select(GrantRow.id).where(live).scalar_subquery().label("grant_id"),
        select(GrantRow.scopes).where(live).scalar_subquery().label("granted"),
        select(GrantRow.tools).where(live).scalar_subquery().label("tools"),
        select(GrantRow.ends_at).where(live).scalar_subquery().label("ends_at"),
        select(GrantRow.session_digest).where(live).scalar_subquery().label("session"),
        select(ConsentRow.scopes).filter_by(**consent).scalar_subquery().label("consented"),
        select(ConsentRow.tools).filter_by(**consent).scalar_subquery().label("consented_tools"),
        exists().where(both).label("seen_before"),
    )
    row = connection.execute(statement).one()
    return Standing(
        grant_id=row.grant_id,
        granted=frozenset(row.granted or ()),
        tools=tool_permission.read(row.tools),
        consented=frozenset(row.consented or ()),
        consented_tools=tool_permission.read(row.consented_tools),
        seen_before=row.seen_before,
        client_name=row.client_name,
        client_identity=row.client_identity,
        ends_at=row.ends_at,
        with_session=row.session is not None,
    )
