"""The purge: what has expired is deleted in bounded batches, so that no table grows without end."""

from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute

from ..keys.ports import Purpose
from ..protocol.alert import AlertKind
from .clock import now, now_in_milliseconds
from .database import Database
from .ended import LATELY
from .fetched import STALE_SECONDS
from .known_browsers import KNOWN_SECONDS
from .models import (
    AccountLinkRow,
    AlertRow,
    ApiAnswerRow,
    CodeRow,
    EndedPositionRow,
    FailureCountRow,
    FamilyRow,
    FetchedDocumentRow,
    GrantNetworkRow,
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
LONG_AGO = now - GRACE_SECONDS
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
    (RevokedAccessTokenRow.jti, RevokedAccessTokenRow.expires_at <= now),
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


def purge(database: Database, limit: int = 1000, *, receipts_for: int = 90 * 24 * 3600) -> dict[str, int]:
    """Delete at most *limit* rows of each kind, each kind in a transaction of its own; returns how many, by table.

    What tells of tool calls is kept *receipts_for* seconds. What another process is just using or purging is left for
    the next time.
    """
    expired = (*EXPIRED, *_of_tool_calls(receipts_for))
    return {key.class_.__tablename__: _delete(database, key, which, limit) for key, which in expired}


def _of_tool_calls(seconds: int) -> tuple[Expired, ...]:
    before = now_in_milliseconds - seconds * 1000
    return (
        (ToolReceiptRow.key, ToolReceiptRow.at_ms <= before),
        (ToolUseRow.last_ms, ToolUseRow.last_ms <= before),
        (ToolHourRow.hour, ToolHourRow.hour < (now - seconds) // 3600),
        # That something is used for the first time is told once, however long ago.
        (AlertRow.id, (AlertRow.raised_at <= now - seconds) & (AlertRow.kind != AlertKind.FIRST_DESTRUCTIVE_USE)),
    )


def _delete(database: Database, key: InstrumentedAttribute[Any], which: ColumnElement[bool], limit: int) -> int:
    with database.transaction() as connection:
        found = connection.scalars(select(key).where(which).limit(limit).with_for_update(skip_locked=True)).all()
        if found:
            connection.execute(delete(key.class_).where(key.in_(found)))
    return len(found)
