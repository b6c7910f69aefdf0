"""Receipts of tool calls, taken from guards: each once, under the grant that it belongs to (RS-8)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Float,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    column,
    func,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from ..protocol.credential import base64url
from ..protocol.tool_receipt import ToolReceipt
from .database import Database
from .models import FamilyRow, GrantRow, ToolHourRow, ToolReceiptRow, ToolUseRow
from .models.base import storable

HOUR_MS = 3_600_000
KEY_BYTES = 16
GIVEN: dict[str, TypeEngine[Any]] = {
    "key": Text(),
    "id": Text(),
    "at_ms": BigInteger(),
    "subject": Text(),
    "client_id": Text(),
    "family_id": Text(),
    "tool": Text(),
    "arguments": JSON(),
    "outcome": Text(),
    "refused": Boolean(),
    "status": Integer(),
    "duration_ms": Float(53),
    "correlation_id": Text(),
    "trace_id": Text(),
    "span_id": Text(),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt that was new: what it is counted by. ``grant_id`` and ``user_id`` are those that were found for it."""

    tool: str
    client_id: str
    grant_id: str | None
    user_id: str | None
    refused: bool
    at_ms: int


class ToolReceiptStore:
    """What guards said was called."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, resource: str, receipts: Iterable[ToolReceipt]) -> list[Kept]:
        """Write down *receipts* of the guard of *resource*; returns those that were new.

        Safe under concurrency and repetition: a receipt is kept once and counted once. One statement for all, and one
        for each of the two sums. A receipt whose family is none of this resource, subject and client is kept without
        a grant: what a guard says is put under a person only where the person's grant agrees.
        """
        rows = [_columns(resource, receipt) for receipt in receipts]
        if not rows:
            return []
        with self._database.transaction() as connection:
            found = connection.execute(self._insert(), {"given": rows, "of": storable(resource)}).all()
            kept = [Kept(**row._mapping) for row in found]
            self._count_uses(connection, kept)
            self._count_hours(connection, storable(resource), kept)
        return kept

    def _insert(self) -> Any:  # noqa: ANN401 - an INSERT of either dialect
        given, columns = _given(self._database.dialect)
        family = and_(
            FamilyRow.id == columns["family_id"],
            FamilyRow.resource == bindparam("of"),
            FamilyRow.client_id == columns["client_id"],
        )
        grant = and_(GrantRow.id == FamilyRow.grant_id, GrantRow.user_id == columns["subject"])
        found = (
            select(*columns.values(), bindparam("of", type_=Text), GrantRow.id, GrantRow.user_id)
            .select_from(given.outerjoin(FamilyRow, family).outerjoin(GrantRow, grant))
            .where(true())  # or SQLite takes ON CONFLICT for a condition of the join
            .order_by(columns["key"])  # in one order for everyone: two may bring the same batch, each in its own
        )
        names = [*columns, "resource", "grant_id", "user_id"]
        new = self._database.insert(ToolReceiptRow).from_select(names, found).on_conflict_do_nothing()
        row = ToolReceiptRow
        return new.returning(row.tool, row.client_id, row.grant_id, row.user_id, row.refused, row.at_ms)

    def _count_uses(self, connection: Connection, kept: Sequence[Kept]) -> None:
        sums: dict[tuple[str, str], list[Kept]] = defaultdict(list)
        for one in kept:
            if one.grant_id is not None:
                sums[one.grant_id, one.tool].append(one)
        rows = [
            {"grant_id": key[0], "tool": key[1], **_sums(calls), "last_ms": max(call.at_ms for call in calls)}
            for key, calls in sorted(sums.items())
        ]
        if rows:
            new = self._database.insert(ToolUseRow).values(rows)
            later = func.max if self._database.dialect == "sqlite" else func.greatest
            last = {"last_ms": later(ToolUseRow.last_ms, new.excluded.last_ms)}
            changed = {**_added(ToolUseRow, new.excluded), **last}
            connection.execute(new.on_conflict_do_update(index_elements=["grant_id", "tool"], set_=changed))

    def _count_hours(self, connection: Connection, resource: str, kept: Sequence[Kept]) -> None:
        sums: dict[tuple[str, int], list[Kept]] = defaultdict(list)
        for one in kept:
            sums[one.tool, one.at_ms // HOUR_MS].append(one)
        # In one order for everyone, as all that locks many.
        rows = [
            {"resource": resource, "tool": tool, "hour": hour, **_sums(calls)}
            for (tool, hour), calls in sorted(sums.items())
        ]
        if rows:
            new = self._database.insert(ToolHourRow).values(rows)
            key = ["resource", "tool", "hour"]
            changed = _added(ToolHourRow, new.excluded)
            connection.execute(new.on_conflict_do_update(index_elements=key, set_=changed))


def _given(dialect: str) -> tuple[FromClause, dict[str, Any]]:
    """The rows of the parameter ``given`` as a table, and its columns by name."""
    given = bindparam("given", type_=JSON)
    if dialect == "sqlite":
        each = func.json_each(given).table_valued("value", name="given")
        return each, {name: func.json_extract(each.c.value, f"$.{name}", type_=Text).label(name) for name in GIVEN}
    rows = func.json_to_recordset(given).table_valued(
        *(column(name, kind) for name, kind in GIVEN.items()), name="given"
    )
    table = rows.render_derived(with_types=True)
    return table, {name: table.c[name] for name in GIVEN}


def _columns(resource: str, receipt: ToolReceipt) -> dict[str, Any]:
    """*receipt* as it is stored: both databases hold it, whatever a client has put into names and values."""
    of = hashlib.sha256(f"{resource}\n{receipt.id}".encode()).digest()
    return {
        "key": base64url(of[:KEY_BYTES]),
        "id": receipt.id,
        "at_ms": receipt.at_ms,
        "subject": storable(receipt.subject),
        "client_id": storable(receipt.client),
        "family_id": None if receipt.family is None else storable(receipt.family),
        "tool": storable(receipt.tool),
        "arguments": {storable(name): _value(value) for name, value in receipt.arguments.items()},
        "outcome": receipt.outcome,
        "refused": receipt.refused,
        "status": receipt.status,
        "duration_ms": float(receipt.duration_ms),
        "correlation_id": receipt.correlation_id,
        "trace_id": receipt.trace_id,
        "span_id": receipt.span_id,
    }


def _value(value: object) -> object:
    return storable(value) if isinstance(value, str) else value


def _sums(calls: Sequence[Kept]) -> dict[str, int]:
    return {"calls": len(calls), "refused": sum(call.refused for call in calls)}


def _added(table: Any, excluded: Any) -> dict[str, Any]:  # noqa: ANN401 - one of two tables, and its new row
    return {name: getattr(table, name) + excluded[name] for name in ("calls", "refused")}
