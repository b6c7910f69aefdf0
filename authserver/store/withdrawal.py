"""Taking scopes and tools out of a grant, and out of the consent that it came from."""

from collections.abc import Collection

from sqlalchemy import Connection, exists, select, update

from ..protocol import tool_permission
from ..protocol.tool_permission import Permission
from .approval import narrow_codes
from .authority import holds
from .clock import now
from .ending import BEHIND, end_grants
from .models import ConsentRow, FamilyRow, GrantRow
from .positions import move


def withdraw(
    connection: Connection, grant_id: str, scopes: Collection[str], tools: Collection[str] = ()
) -> tuple[str, ...]:
    """Take *scopes* and *tools* out of a live grant, and return those that it had of them, scopes first.

    A grant that loses all scopes ends. What was issued under it ends too: its access tokens here and now, its codes
    lose what the grant loses, and its families go on with the rest.
    """
    live = select(GrantRow).where(GrantRow.id == grant_id, holds(GrantRow))
    grant = connection.execute(live.with_for_update(key_share=True)).first()
    if grant is None:
        return ()
    lost = tuple(name for name in grant.scopes if name in scopes)
    decisions = tool_permission.read(grant.tools)
    closed = tuple(name for name in decisions or () if name in tools and decisions and decisions[name].ways)
    if not lost and not closed:
        return ()
    left = tuple(name for name in grant.scopes if name not in lost)
    if not left:
        end_grants(connection, GrantRow.id == grant_id)
        return (*lost, *closed)
    columns = {"scopes": left, "tools": _without(grant.tools, closed), "updated_at": now}
    connection.execute(update(GrantRow).where(GrantRow.id == grant_id).values(columns))
    _narrow_consent(connection, grant_id, lost, closed)
    narrow_codes(connection, grant_id, lost)
    move(connection, FamilyRow.grant_id == grant_id)
    return (*lost, *closed)


def _narrow_consent(connection: Connection, grant_id: str, lost: Collection[str], closed: Collection[str]) -> None:
    """So that no other device gets unasked what was taken from this one."""
    behind = exists().where(GrantRow.id == grant_id, BEHIND)
    consent = connection.execute(select(ConsentRow).where(behind).with_for_update()).first()
    if consent is not None:
        key = {name: getattr(consent, name) for name in ("user_id", "client_id", "redirect_host", "resource")}
        left = tuple(name for name in consent.scopes if name not in lost)
        columns = {"scopes": left, "tools": _without(consent.tools, closed)}
        connection.execute(update(ConsentRow).filter_by(**key).values(columns))


def _without(tools: str | None, closed: Collection[str]) -> str | None:
    """The decisions *tools*, with a no to each of *closed*."""
    decisions = tool_permission.read(tools)
    if decisions is None or not closed:
        return tools
    refused = {name: Permission(one.seen) for name, one in decisions.items() if name in closed}
    return tool_permission.written({**decisions, **refused})
