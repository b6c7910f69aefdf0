"""Redeem an authorization code, as the only writer."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from ...protocol.audit import Event
from ...protocol.authorization_code import Redeemed, Redemption
from .. import audit
from ..authority import alive, authority, only, standing_of, subject_of
from ..clock import now
from ..database import Database
from ..driver import Found
from ..models import CodeRow, FamilyRow, RefreshTokenRow
from ..positions import next_position

CODE = select(CodeRow).where(CodeRow.digest == bindparam("digest")).cte("code")
GRANT = standing_of(only(CODE.c.grant_id))
HELD = (GRANT.c.user_id, GRANT.c.redirect_host, GRANT.c.scopes.label("held"), GRANT.c.tools, GRANT.c.ends_at)
REDEEMABLE = (
    select(*CODE.c, *HELD, now.label("now"))
    .join_from(CODE, GRANT, GRANT.c.id == CODE.c.grant_id)
    .where(
        CODE.c.client_id == bindparam("client_id"),
        or_(bindparam("resource").is_(None), CODE.c.resource == bindparam("resource")),
        CODE.c.redeemed_at.is_(None),
        CODE.c.expires_at > now,
        alive(GRANT, only(CODE.c.client_id)),
    )
)
END = (
    update(CodeRow)
    .where(CodeRow.digest == bindparam("ended"))
    .values(redeemed_at=bindparam("redeemed_at"), family_id=bindparam("family_id"))
)
FAMILY = (
    "id", "grant_id", "client_id", "resource", "scopes", "auth_time", "methods", "created_at", "expires_at",
    "status_position",
)  # fmt: skip
FOUND_FAMILY = insert(FamilyRow).values({name: bindparam(name) for name in FAMILY})
FIRST_TOKEN = insert(RefreshTokenRow).values(
    {name: bindparam(name) for name in ("digest", "family_id", "created_at", "expires_at")}
)


def redeem(database: Database, attempt: Redemption, event: Event) -> Redeemed | None:
    """See `codes.CodeStore.redeem`."""
    found: Redeemed | None = database.as_one_of_many(_redeem_all, (attempt, event))
    return found


def _redeem_all(connection: Connection, asked: Sequence[tuple[Redemption, Event]]) -> list[Redeemed | None]:
    return [_redeem(connection, attempt, event) for attempt, event in asked]


def _redeem(connection: Connection, attempt: Redemption, event: Event) -> Redeemed | None:
    sought = {"digest": attempt.digest, "client_id": attempt.client_id, "resource": attempt.resource}
    found = connection.execute(REDEEMABLE, sought).one_or_none()
    if found is None or not authority(found, family_id=attempt.family_id).scopes:
        return None
    proven = _proves(attempt, found)
    family_id = attempt.family_id if proven else None
    connection.execute(END, {"ended": attempt.digest, "redeemed_at": found.now, "family_id": family_id})
    about = event.about(**subject_of(found))
    audit.record(connection, about if proven else about.about(outcome="refused"))
    if not proven:
        return None
    position = _found_family(connection, attempt, found)
    return Redeemed(authority(found, family_id=attempt.family_id, position=position), found.wants_refresh)


def _proves(attempt: Redemption, code: Found) -> bool:
    same_uri = attempt.redirect_uri is None or attempt.redirect_uri == code.redirect_uri
    return same_uri and bool(attempt.challenge == code.challenge)


def _found_family(connection: Connection, attempt: Redemption, code: Found) -> int:
    position = next_position(connection)
    family = {
        "id": attempt.family_id,
        "grant_id": code.grant_id,
        "client_id": code.client_id,
        "resource": code.resource,
        "scopes": code.scopes,
        "auth_time": code.auth_time,
        "methods": code.methods,
        "created_at": code.now,
        "expires_at": code.now + attempt.family_lifetime,
        "status_position": position,
    }
    connection.execute(FOUND_FAMILY, family)
    if code.wants_refresh:
        token = {
            "digest": attempt.refresh_digest,
            "family_id": attempt.family_id,
            "created_at": code.now,
            "expires_at": code.now + min(attempt.refresh_lifetime, attempt.family_lifetime),
        }
        connection.execute(FIRST_TOKEN, token)
    return position
