"""The purge: what has expired, or ended long ago, is deleted in bounded batches, so that no table grows without end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, any_, bindparam, delete, exists, func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from ..keys.ports import Purpose
from ..protocol.alert import AlertKind
from .clock import now, now_in_milliseconds
from .database import Database
from .ended import AFTER_EXPIRY, LATELY
from .failures import UNAVAILABLE, is_withheld, reason
from .fetched import STALE_SECONDS
from .forgetting import ENDED_SECONDS, forget_clients, forget_grants
from .known_browsers import KNOWN_SECONDS
from .models import (
    AccountLinkRow,
    AlertRow,
    ApiAnswerRow,
    ClientRow,
    CodeRow,
    EndedPositionRow,
    FailureCountRow,
    FamilyRow,
    FetchedDocumentRow,
    GrantNetworkRow,
    GrantRow,
    HalfSignInRow,
    InvitationRow,
    KnownBrowserRow,
    NoticeMessageRow,
    NoticeRow,
    PendingGrantRow,
    RefreshTokenRow,
    RememberedRow,
    RevokedAccessTokenRow,
    SessionRow,
    SigningKeyRow,
    ThrottleRow,
    ToolChallengeRow,
    ToolHourRow,
    ToolReceiptRow,
    ToolUseRow,
    TraceRow,
    UpstreamAttemptRow,
    UsedAssertionRow,
)
from .notices import KEPT_SECONDS
from .throttles import FORGOTTEN_SECONDS
from .traces import KEPT_MS

GRACE_SECONDS = 24 * 3600  # longer than any access token lives, and than a code's replay is of interest
LONG_AGO = now - bindparam("grace", GRACE_SECONDS, unique=False)
SKEW_SECONDS = 300  # a node whose clock is late takes an assertion for longer
NETWORK_SECONDS = 90 * 24 * 3600  # after which a network that a grant came from is new again
KEY_SECONDS = 90 * 24 * 3600  # for which a key is listed after it was withdrawn
# A source that never answered well has only its newest failure to remember.
DISUSED = ~FetchedDocumentRow.pinned & (
    (func.coalesce(FetchedDocumentRow.fetched_at, 0) <= now - STALE_SECONDS)
    & (func.coalesce(FetchedDocumentRow.failed_at, 0) <= LONG_AGO)
    & (func.coalesce(FetchedDocumentRow.leased_until, 0) <= LONG_AGO)
)

# What the audit trail's keys signed is verified by them as long as the trail is kept.
USELESS_KEY = (SigningKeyRow.purpose != Purpose.AUDIT) & (
    func.coalesce(SigningKeyRow.withdrawn_at, SigningKeyRow.published_until) <= now - KEY_SECONDS
)

Expired = tuple[InstrumentedAttribute[Any], ColumnElement[bool]]
EXPIRED: tuple[Expired, ...] = (
    (CodeRow.digest, CodeRow.expires_at <= LONG_AGO),
    (RefreshTokenRow.digest, RefreshTokenRow.expires_at <= LONG_AGO),
    # A family's tokens expire with it at the latest, so they go before it.
    (FamilyRow.id, (FamilyRow.expires_at <= LONG_AGO) & ~exists().where(RefreshTokenRow.family_id == FamilyRow.id)),
    (RevokedAccessTokenRow.jti, RevokedAccessTokenRow.expires_at <= now - AFTER_EXPIRY),
    (EndedPositionRow.position, EndedPositionRow.ended_at <= now - LATELY),
    (SessionRow.digest, SessionRow.expires_at <= LONG_AGO),
    (RememberedRow.digest, RememberedRow.expires_at <= LONG_AGO),
    (KnownBrowserRow.digest, KnownBrowserRow.seen_at <= now - KNOWN_SECONDS),
    (HalfSignInRow.digest, HalfSignInRow.expires_at <= now),
    (InvitationRow.id, InvitationRow.expires_at <= now),
    (AccountLinkRow.digest, AccountLinkRow.expires_at <= now),
    (ToolChallengeRow.id, ToolChallengeRow.expires_at <= now),
    (UpstreamAttemptRow.digest, UpstreamAttemptRow.expires_at <= now),
    (PendingGrantRow.id, (PendingGrantRow.expires_at <= LONG_AGO) & (PendingGrantRow.approved == ())),
    (UsedAssertionRow.digest, UsedAssertionRow.expires_at <= now - SKEW_SECONDS),
    (FetchedDocumentRow.url, DISUSED),
    (ThrottleRow.key, ThrottleRow.last_failed_at <= now - FORGOTTEN_SECONDS),
    (ApiAnswerRow.digest, ApiAnswerRow.begun_at <= LONG_AGO),
    (FailureCountRow.minute, FailureCountRow.minute <= LONG_AGO // 60),
    (GrantNetworkRow.seen_at, GrantNetworkRow.seen_at <= now - NETWORK_SECONDS),
    (NoticeRow.id, NoticeRow.created_at <= now - KEPT_SECONDS),
    (NoticeMessageRow.id, NoticeMessageRow.created_at <= now - KEPT_SECONDS),
    (SigningKeyRow.kid, USELESS_KEY),
    (TraceRow.id, TraceRow.last_ms <= now_in_milliseconds - KEPT_MS),
)


LOCK = 0x6D6372  # any number that nobody else takes
# Who holds a table for long, as a migration may, keeps little of a purge's time from the others.
ALONE = text("SELECT pg_try_advisory_xact_lock(:lock) FROM set_config('lock_timeout', '2s', true)")
SHARE = 0.25  # of the time for which a purge goes on, it works; it waits for the rest
Kind: TypeAlias = tuple[str, Callable[[Connection, int], int]]
"""A table, and what deletes at most so many of its rows in a transaction, and returns how many."""


@dataclass(slots=True)
class Purged:
    """What a purge did: rows by table, in how many ``seconds`` of work, and whether it left something for later.

    ``whole`` says that each kind of rows had its turn at least once, ``elsewhere`` that another process goes on with
    it; ``failed`` has the tables that the database kept from it, and why.
    """

    rows: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    left: bool = False
    whole: bool = False
    elsewhere: bool = False


def purge_all(
    database: Database,
    limit: int,
    *,
    grace: int = GRACE_SECONDS,
    receipts_for: int,
    ended_for: int = ENDED_SECONDS,
    seconds: float,
    wait: Callable[[float], bool],
) -> Purged:
    """Delete batch after batch of at most *limit* rows until nothing is left to delete, or *seconds* are over.

    What has expired goes *grace* seconds later, what tells of tool calls *receipts_for* seconds after the call, and a
    grant *ended_for* seconds after its end.

    It works for `SHARE` of that time: after each batch it calls *wait*, which waits so many seconds, or returns true
    to end it. Whoever finds another process at it leaves it to that one. A table that the database keeps from it is
    left for the next time. Raises what a database that is away makes any statement raise.
    """
    due, done, until = _kinds(grace, receipts_for, ended_for), Purged(), time.monotonic() + seconds
    tables = {table for table, _ in due}
    while due and time.monotonic() < until:
        kind = due.pop(0)
        began = time.monotonic()
        rows = _delete(database, kind, limit, done)
        took = time.monotonic() - began
        done.seconds += took
        if done.elsewhere:
            return done
        if kind[0] in done.failed:
            until, pause = until + took, 0.0  # the others lose nothing by it
        else:
            done.rows[kind[0]] = done.rows.get(kind[0], 0) + rows
            pause = took / SHARE - took
        done.whole = done.rows.keys() == tables
        if rows >= limit:
            due.append(kind)
        if wait(pause):
            break
    done.left = bool(due)
    return done


def _kinds(grace: int, receipts_for: int, ended_for: int) -> list[Kind]:
    """All kinds, in the order in which they go: what hangs on a grant before it, and that before its client."""
    expired = (*EXPIRED, *_of_tool_calls(receipts_for))
    return [
        *((key.class_.__tablename__, partial(_expired, key, which, grace)) for key, which in expired),
        (GrantRow.__tablename__, partial(forget_grants, seconds=ended_for)),
        (ClientRow.__tablename__, partial(forget_clients, seconds=ended_for)),
    ]


def _of_tool_calls(seconds: int) -> tuple[Expired, ...]:
    before = now_in_milliseconds - seconds * 1000
    return (
        (ToolReceiptRow.key, ToolReceiptRow.at_ms <= before),
        (ToolUseRow.last_ms, ToolUseRow.last_ms <= before),
        (ToolHourRow.hour, ToolHourRow.hour < (now - seconds) // 3600),
        # That something is used for the first time is told once, however long ago.
        (AlertRow.id, (AlertRow.raised_at <= now - seconds) & (AlertRow.kind != AlertKind.FIRST_DESTRUCTIVE_USE)),
    )


def _delete(database: Database, kind: Kind, limit: int, done: Purged) -> int:
    """Delete such rows; returns how many. Notes that they were kept from it, or that another process is at it."""
    try:
        with database.transaction() as connection:
            if _alone(connection):
                return kind[1](connection, limit)
            done.elsewhere = True
    except UNAVAILABLE as problem:
        if not is_withheld(problem):
            raise
        done.failed[kind[0]] = reason(problem)
    return 0


def _expired(
    key: InstrumentedAttribute[Any], which: ColumnElement[bool], grace: int, connection: Connection, limit: int
) -> int:
    found = select(key).where(which).limit(limit).with_for_update(skip_locked=True).scalar_subquery()
    # An array is made once; what is IN a subquery may be looked for anew for each row.
    those = key == any_(func.array(found)) if connection.dialect.name == "postgresql" else key.in_(found)
    return connection.execute(delete(key.class_).where(those), {"grace": grace}).rowcount


def _alone(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite" or bool(connection.scalar(ALONE, {"lock": LOCK}))
