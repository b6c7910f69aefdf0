"""What people want and an administrator has to allow first."""

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds

IN_FORCE = text("approved <> ''")


class PendingGrantRow(Row):
    """A person's request for a client at a server; there is one at the most, and it stays when it is decided.

    ``asked`` is what waits or was decided last, ``approved`` all that was ever approved and not taken back, both as
    keys (`protocol.policy.request.Item.key`). ``client_identity`` is what the client was then
    (`protocol.client.Client.identity`): another one has nothing. ``state`` is waiting, approved or denied; until
    ``expires_at`` a no stands, and what waits waits. ``rule`` is what asks for it.
    """

    __tablename__ = "pending_grants"
    __table_args__ = (
        Index("uq_pending_grants_who", "user_id", "client_id", "resource", unique=True),
        Index(None, "state", "created_at", "id"),
        Index(None, "expires_at"),
        Index(None, "client_id"),
        Index(None, "resource"),
        Index("ix_pending_grants_in_force", "created_at", "id", postgresql_where=IN_FORCE, sqlite_where=IN_FORCE),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    client_id: Mapped[str]
    client_identity: Mapped[Digest]
    resource: Mapped[str]
    asked: Mapped[tuple[str, ...]]
    approved: Mapped[tuple[str, ...]]
    rule: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    decided_at: Mapped[Seconds | None]
    decided_by: Mapped[str | None]
