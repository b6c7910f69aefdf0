"""Events as text for others: JSON lines, CSV, and RFC 5424 messages.

What strangers chose (names, addresses, details) is among it. JSON leaves here in ASCII without a control character, so
no terminal obeys it; a cell of CSV never begins like a formula.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...protocol.audit_seal import Recorded

COLUMNS = (
    "id", "time", "name", "outcome", "actor", "user_id", "client_id", "resource", "grant_id", "address",
    "correlation_id", "detail",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\N{MINUS SIGN}")
AUDIT_FACILITY = 13  # RFC 5424 §6.2.1: log audit
INFORMATIONAL, WARNING = 6, 4
MOST_MESSAGE_ID = 32


def json_line(recorded: Recorded) -> str:
    """One line of JSON with all that is recorded, its ``time`` as RFC 3339 has it."""
    members = recorded.members()
    return plain_json({"id": members.pop("id"), "time": time_of(recorded), **members})


def plain_json(members: Mapping[str, Any]) -> str:
    """*members* as JSON in ASCII without a line end, DEL among what is escaped."""
    return json.dumps(members, separators=(",", ":")).replace("\x7f", "\\u007f")


def csv_line(recorded: Recorded) -> str:
    """One record of CSV (RFC 4180), in the order of `COLUMNS`, without the line end."""
    members = {**recorded.members(), "time": time_of(recorded), "detail": plain_json(recorded.event.detail)}
    return _csv([_cell(members[name]) for name in COLUMNS])


def csv_head() -> str:
    """The names of the columns."""
    return _csv(list(COLUMNS))


def syslog_message(recorded: Recorded, host: str) -> bytes:
    """An RFC 5424 message from *host* with the event as JSON: of the audit facility, a warning if it was refused."""
    severity = INFORMATIONAL if recorded.event.outcome == "success" else WARNING
    name = "".join(c for c in recorded.event.name if "!" <= c <= "~")[:MOST_MESSAGE_ID] or "-"
    head = f"<{AUDIT_FACILITY * 8 + severity}>1 {time_of(recorded)} {host} authserver - {name} - "
    return head.encode("ascii") + json_line(recorded).encode("ascii")


def time_of(recorded: Recorded) -> str:
    """When it happened, by RFC 3339 in UTC with milliseconds."""
    seconds, milliseconds = divmod(recorded.at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"


def _cell(value: str | None) -> str:
    text = "".join(character if character.isprintable() else "?" for character in value or "")
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])  # a full-width sign is one to some spreadsheets
    return f"'{text}" if first.startswith(FORMULA) else text


def _csv(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
