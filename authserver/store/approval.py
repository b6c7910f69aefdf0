"""A person's decision, written down: grant, consent and code in one transaction (AZ-9, AZ-14)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Connection, and_, bindparam, insert, or_, select, update

from ..protocol import credential, tool_permission
from ..protocol.authorization_code import CodeSpent, NewCode
from ..protocol.grant_term import BrowserSession, GrantOver, Until
from ..protocol.tool_permission import Permission, Permissions
from . import grant_ends
from .authority import MAY_ACT
from .clock import now
from .database import Database
from .driver import Found
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
STALE = (
    select(ClientRow.client_id)
    .where(
        ClientRow.client_id == bindparam("used_client"),
        or_(ClientRow.last_used_at.is_(None), ClientRow.last_used_at <= now - CLIENT_USE_SECONDS),
    )
    .with_for_update(key_share=True, skip_locked=True)
)
"""The client, unless somebody holds it, who notes its use, or changes it: who holds grants waits for no client."""

NOTE_USE = (
    update(ClientRow).where(ClientRow.client_id == STALE.correlate(None).scalar_subquery()).values(last_used_at=now)
)


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person allows (``approved``) and no longer allows (``withdrawn``): names of the resource's scopes.

    ``permissions`` are their decisions about single tools (None: of a server whose tools are not known); what was
    decided about others stays. ``unasked`` is what a grant without decisions stands for, ``minted`` names the single
    uses that are new. ``client_name`` and ``client_identity`` are the client's as the person saw it
    (`protocol.client.Client.identity`). The grant lasts ``until`` then, with ``session`` where it is to end with one;
    that is where the person decides, and nothing is allowed in one that has ended (None: in none). A decision that
    keeps the term of a grant that there was names it (``kept``). ``silent``: nobody was asked, since all of it had been
    allowed before.
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
    until: Until = Until.KEPT
    session: BrowserSession | None = None
    kept: str | None = None
    silent: bool = False
    client_name: str = field(kw_only=True)
    client_identity: bytes = field(kw_only=True)

    @property
    def changes_nothing(self) -> bool:
        """Whether it says of tools what this device's grant says that the person saw, and takes nothing back."""
        if self.kept is None or self.until is not Until.KEPT or self.withdrawn or self.minted:
            return False
        return self.permissions is None or tool_permission.joined(self.unasked, self.permissions) == self.unasked

    def changed(self, scopes: tuple[str, ...]) -> tuple[str, ...]:
        """*scopes* after this decision: what was there first, then what is new."""
        united = dict.fromkeys((*scopes, *self.approved))
        return tuple(name for name in united if name not in self.withdrawn)

    @property
    def place(self) -> dict[str, str]:
        """Whose consent it is, to what, where."""
        names = ("user_id", "client_id", "redirect_host", "resource")
        return {name: getattr(self, name) for name in names}


def hold_client(connection: Connection, client_id: str) -> bool:
    """Whether the client may act; it is not deleted before the transaction of *connection* ends."""
    return connection.execute(ACTING, {"acting": client_id}).first() is not None


def hold_grant(database: Database, connection: Connection, approval: Approval) -> Found:
    """This device's grant, the one that lives or a new one without anything, as `change_grant` wants it.

    The INSERT that meets a live grant locks it, so concurrent decisions add up. Raises `GrantOver`.
    """
    here = {**approval.place, "device_digest": approval.device_digest}
    theirs = and_(*(getattr(GrantRow, name) == value for name, value in here.items()))
    grant_ends.expire(connection, and_(theirs, grant_ends.OVER))
    live = (
        database.insert(GrantRow)
        .values(id=credential.identifier(), **here, scopes=(), created_at=now, updated_at=now)
        .on_conflict_do_update(index_elements=list(here), index_where=LIVE, set_={"updated_at": now})
        .returning(GrantRow.id, GrantRow.scopes, GrantRow.tools, GrantRow.ends_at, now.label("now"))
    )
    grant = connection.execute(live).one()
    ended = grant.ends_at is not None and grant.ends_at <= grant.now
    if approval.until is Until.KEPT and (ended or approval.kept not in (None, grant.id)):
        raise GrantOver
    return grant


def hold_to_what_stands(connection: Connection, grant: Found, approval: Approval) -> None:
    """Raise `GrantOver` unless *grant*, from `hold_grant`, and the consent behind it still cover what is approved.

    For what nobody is asked about: it may have been taken back since it was looked at.
    """
    consent = select(ConsentRow.scopes, ConsentRow.tools).filter_by(**approval.place).with_for_update(read=True)
    found = connection.execute(consent).one_or_none()
    scopes, tools = (found.scopes, tool_permission.read(found.tools)) if found else ((), {})
    if not {*grant.scopes, *scopes}.issuperset(approval.approved):
        raise GrantOver
    held = tool_permission.read(grant.tools)
    if held is None and approval.kept is not None:
        held = approval.unasked
    known = [each for each in (held, tools) if each is not None]
    if known and not all(_stands(name, one, known) for name, one in (approval.permissions or {}).items()):
        raise GrantOver


def _stands(name: str, permission: Permission, known: Sequence[Permissions]) -> bool:
    """Whether one of *known* allows the tool of that *name* in all the ways of *permission*."""
    allowed = (each[name].ways if name in each else () for each in known)
    return any(all(way in ways for way in permission.ways) for ways in allowed)


def change_grant(connection: Connection, grant: Found, approval: Approval, term: Mapping[str, object]) -> bool:
    """Let *grant*, from `hold_grant`, be as *approval* says and last its *term*, from `grant_ends.term`.

    Returns whether it lasts until it is revoked then.
    """
    scopes = approval.changed(grant.scopes)
    tools, narrower = _decided(approval, grant.tools)
    changed = update(GrantRow).where(GrantRow.id == grant.id).values(scopes=scopes, tools=tools, **term)
    ends_at = connection.execute(changed.returning(GrantRow.ends_at)).scalar_one()
    sooner = ends_at is not None and (grant.ends_at is None or ends_at < grant.ends_at)
    if grant.scopes and (narrower or sooner or not set(scopes).issuperset(grant.scopes)):
        narrow_codes(connection, grant.id, approval.withdrawn)
        # What was issued says more than the grant still holds: it ends here and now, the families go on.
        move(connection, FamilyRow.grant_id == grant.id)
    return ends_at is None


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


def remember_consent(database: Database, connection: Connection, approval: Approval, *, lasts: bool) -> None:
    """Keep what the person agreed to, for their other devices; of what does not last (*lasts*), only what they refused.

    A later decision counts: what was remembered and is now to end is asked again everywhere.
    """
    key = approval.place
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
        tools = tool_permission.written(tool_permission.remembered(before, approval.permissions, lasts=lasts))
    scopes = approval.changed(consent.scopes)
    if not lasts:
        scopes = tuple(name for name in scopes if name not in approval.approved)
    changed = update(ConsentRow).filter_by(**key).values(scopes=scopes, tools=tools)
    connection.execute(changed)


def is_saved(connection: Connection, code: NewCode) -> bool:
    """Whether *code* was saved before, by the same form that came twice, and can be redeemed.

    Raises `CodeSpent` for one that cannot, any more. Asked while the grant is held.
    """
    works = and_(CodeRow.redeemed_at.is_(None), CodeRow.expires_at > now)
    known = connection.execute(select(works.label("works")).where(CodeRow.digest == code.digest)).first()
    if known is not None and not known.works:
        raise CodeSpent
    return known is not None


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
