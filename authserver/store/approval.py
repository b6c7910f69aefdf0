"""A person's decision, written down: grant, consent and code in one transaction (AZ-9, AZ-14)."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Connection, bindparam, insert, or_, select, update

from ..protocol import credential, tool_permission
from ..protocol.authorization_code import NewCode
from ..protocol.tool_permission import Permissions
from .authority import MAY_ACT
from .clock import now
from .database import Database
from .models import ClientRow, CodeRow, ConsentRow, FamilyRow, GrantRow
from .models.grant import LIVE
from .positions import move

CLIENT_USE_SECONDS = 3600  # a client's last use is kept true to the hour, so that its row is not every sign-in's lock

BOUND_TO = (
    "digest", "grant_id", "client_id", "redirect_uri", "challenge", "resource", "scopes", "auth_time", "methods",
    "wants_refresh",
)  # fmt: skip
SAVE_CODE = insert(CodeRow).values(
    **{name: bindparam(name) for name in BOUND_TO},
    created_at=now,
    expires_at=now + bindparam("lifetime", type_=BigInteger),
)
ACTING = (
    select(ClientRow.client_id)
    .where(ClientRow.client_id == bindparam("acting"), *MAY_ACT)
    .with_for_update(read=True, key_share=True)
)
NOTE_USE = (
    update(ClientRow)
    .where(
        ClientRow.client_id == bindparam("used_client"),
        or_(ClientRow.last_used_at.is_(None), ClientRow.last_used_at <= now - CLIENT_USE_SECONDS),
    )
    .values(last_used_at=now)
)


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person allows (``approved``) and no longer allows (``withdrawn``): names of the resource's scopes.

    ``permissions`` are their decisions about single tools (None: of a server whose tools are not known); what was
    decided about others stays. ``unasked`` is what a grant without decisions stands for, ``minted`` names the single
    uses that are new. ``client_name`` and ``client_identity`` are the client's as the person saw it
    (`protocol.client.Client.identity`).
    """

    user_id: str
    client_id: str
    device_digest: bytes
    redirect_host: str
    resource: str
    approved: tuple[str, ...]
    withdrawn: tuple[str, ...] = ()
    permissions: Permissions | None = None
    unasked: Permissions = field(default_factory=dict)
    minted: frozenset[str] = frozenset()
    client_name: str = field(kw_only=True)
    client_identity: bytes = field(kw_only=True)

    def changed(self, scopes: tuple[str, ...]) -> tuple[str, ...]:
        """*scopes* after this decision: what was there first, then what is new."""
        united = dict.fromkeys((*scopes, *self.approved))
        return tuple(name for name in united if name not in self.withdrawn)


def hold_client(connection: Connection, client_id: str) -> bool:
    """Whether the client may act; it is not deleted before the transaction of *connection* ends."""
    return connection.execute(ACTING, {"acting": client_id}).first() is not None


def widen_grant(database: Database, connection: Connection, approval: Approval) -> str:
    """Make this device's grant, or change the one that lives; returns its id.

    The INSERT that meets a live grant locks it, so concurrent decisions add up.
    """
    live = (
        database.insert(GrantRow)
        .values(
            id=credential.identifier(),
            user_id=approval.user_id,
            client_id=approval.client_id,
            device_digest=approval.device_digest,
            redirect_host=approval.redirect_host,
            resource=approval.resource,
            scopes=(),
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_update(
            index_elements=["user_id", "client_id", "device_digest", "redirect_host", "resource"],
            index_where=LIVE,
            set_={"updated_at": now},
        )
        .returning(GrantRow.id, GrantRow.scopes, GrantRow.tools)
    )
    grant = connection.execute(live).one()
    scopes = approval.changed(grant.scopes)
    tools, narrower = _decided(approval, grant.tools)
    changed = update(GrantRow).where(GrantRow.id == grant.id).values(scopes=scopes, tools=tools)
    connection.execute(changed)
    if grant.scopes and (narrower or not set(scopes).issuperset(grant.scopes)):
        narrow_codes(connection, grant.id, approval.withdrawn)
        # What was issued says more than the grant still holds: it ends here and now, the families go on.
        move(connection, FamilyRow.grant_id == grant.id)
    return str(grant.id)


def _decided(approval: Approval, tools: str | None) -> tuple[str | None, bool]:
    """The decisions about tools of a grant that had *tools*, and whether tokens that are out say more than they do."""
    if approval.permissions is None:
        return tools, False
    before = tool_permission.read(tools)
    stood = approval.unasked if before is None else before
    after = tool_permission.joined(stood, approval.permissions, approval.minted)
    return tool_permission.written(after), tool_permission.narrows(before, after)


def narrow_codes(connection: Connection, grant_id: str, withdrawn: Collection[str]) -> None:
    """Take what was *withdrawn* from codes that wait; a redemption under way is waited for, so its family is there."""
    waiting = select(CodeRow).where(CodeRow.grant_id == grant_id, CodeRow.redeemed_at.is_(None))
    for code in connection.execute(waiting.order_by(CodeRow.digest).with_for_update()).all():
        left = tuple(name for name in code.scopes if name not in withdrawn)
        connection.execute(update(CodeRow).where(CodeRow.digest == code.digest).values(scopes=left))


def remember_consent(database: Database, connection: Connection, approval: Approval) -> None:
    """Keep what the person agreed to, for their other devices."""
    key = {
        "user_id": approval.user_id,
        "client_id": approval.client_id,
        "redirect_host": approval.redirect_host,
        "resource": approval.resource,
    }
    seen = {"client_name": approval.client_name, "client_identity": approval.client_identity}
    known = (
        database.insert(ConsentRow)
        .values(**key, scopes=(), decided_at=now, **seen)
        .on_conflict_do_update(index_elements=list(key), set_={"decided_at": now, **seen})
        .returning(ConsentRow.scopes, ConsentRow.tools)
    )
    consent = connection.execute(known).one()
    tools = consent.tools
    if approval.permissions is not None:
        before = tool_permission.read(consent.tools)
        tools = tool_permission.written(tool_permission.remembered(before, approval.permissions))
    changed = update(ConsentRow).filter_by(**key).values(scopes=approval.changed(consent.scopes), tools=tools)
    connection.execute(changed)


def save_code(connection: Connection, grant_id: str, code: NewCode) -> None:
    """Save *code*, and that its client was used."""
    columns = {
        "digest": code.digest,
        "grant_id": grant_id,
        "client_id": code.client_id,
        "redirect_uri": code.redirect_uri,
        "challenge": code.challenge,
        "resource": code.resource,
        "scopes": code.scopes,
        "auth_time": code.auth_time,
        "methods": code.methods,
        "wants_refresh": code.wants_refresh,
        "lifetime": code.lifetime,
    }
    connection.execute(SAVE_CODE, columns)
    connection.execute(NOTE_USE, {"used_client": code.client_id})
