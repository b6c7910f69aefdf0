"""Taking scopes out of a grant, and out of the consent that it came from."""

from collections.abc import Collection

from sqlalchemy import Connection, exists, select, update

from .approval import narrow_codes
from .clock import now
from .ending import BEHIND, end_grants
from .models import ConsentRow, FamilyRow, GrantRow
from .positions import move


def withdraw(connection: Connection, grant_id: str, scopes: Collection[str]) -> tuple[str, ...]:
    """Take *scopes* out of a live grant, and return those that it had of them; a grant that loses all ends.

    What was issued under it ends too: its access tokens here and now, its codes lose what the grant loses, and its
    families go on with the rest.
    """
    live = select(GrantRow).where(GrantRow.id == grant_id, GrantRow.revoked_at.is_(None))
    grant = connection.execute(live.with_for_update(key_share=True)).first()
    taken = tuple(name for name in grant.scopes if name in scopes) if grant else ()
    if grant is None or not taken:
        return ()
    left = tuple(name for name in grant.scopes if name not in taken)
    if not left:
        end_grants(connection, GrantRow.id == grant_id)
        return taken
    connection.execute(update(GrantRow).where(GrantRow.id == grant_id).values(scopes=left, updated_at=now))
    _narrow_consent(connection, grant_id, taken)
    narrow_codes(connection, grant_id, taken)
    move(connection, FamilyRow.grant_id == grant_id)
    return taken


def _narrow_consent(connection: Connection, grant_id: str, taken: Collection[str]) -> None:
    """So that no other device gets unasked what was taken from this one."""
    behind = exists().where(GrantRow.id == grant_id, BEHIND)
    consent = connection.execute(select(ConsentRow).where(behind).with_for_update()).first()
    if consent is not None:
        key = {name: getattr(consent, name) for name in ("user_id", "client_id", "redirect_host", "resource")}
        left = tuple(name for name in consent.scopes if name not in taken)
        connection.execute(update(ConsentRow).filter_by(**key).values(scopes=left))
