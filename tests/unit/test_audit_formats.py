"""The trail as text for others: JSON lines, OCSF, CSV and syslog."""

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol.audit import Event, Origin
from authserver.protocol.audit_seal import Place, Recorded, canonical
from authserver.services.trail.formats import COLUMNS, csv_head, csv_line, json_line, plain_json, syslog_message
from authserver.services.trail.ocsf import ocsf

ISSUER = "https://auth.example"
HOSTILE = '\x1b]0;owned\x07\r\n\x7f\x9b31m\u202e=HYPERLINK("http://x")'
NAMES = (
    "sign_in.succeeded", "sign_in.failed", "session.ended", "user.added", "user.disabled", "user.role_changed",
    "password.rehashed", "grant.approved", "grant.denied", "grant.revoked", "code.redeemed", "code.replayed",
    "token.issued", "token.refreshed", "token.reused", "token.revoked", "client.registered", "client.deleted",
    "client.suspended", "resource.edited", "key.rotated", "keys.withdrawn", "domain.decided", "alert.raised",
    "tool_permission.used", "audit.dropped", "fetch.refused", "something.new",
)  # fmt: skip
REQUIRED = {
    3001: {"user"},
    3002: {"user", "service"},
    3003: {"user", "privileges"},
    3004: {"entity"},
    6003: {"actor", "api", "src_endpoint"},
}


def recorded(name: str = "grant.approved", at_ms: int = 1_700_000_000_007, **about: object) -> Recorded:
    event = Event(name, "user:u", Origin("192.0.2.7", "c0ffee"))
    return Recorded(Place(12, 345), at_ms, event.about(**about))


def test_a_line_of_json_has_all_that_is_recorded():
    about: dict[str, Any] = {
        "user_id": "u",
        "client_id": "c",
        "resource": "r",
        "grant_id": "g",
        "detail": {"scopes": "a b"},
    }
    assert json.loads(json_line(recorded(**about))) == {
        "id": "12-345",
        "time": "2023-11-14T22:13:20.007Z",
        "at_ms": 1_700_000_000_007,
        "name": "grant.approved",
        "actor": "user:u",
        "outcome": "success",
        "address": "192.0.2.7",
        "correlation_id": "c0ffee",
        **about,
    }


# Fullwidth =, +, -, @, a small hyphen-minus, and the minus of typesetters.
FULL_WIDTH = ("\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe63", "\u2212")


@given(st.text() | st.just(HOSTILE))
def test_no_text_of_a_stranger_reaches_a_terminal_as_more_than_text(text: str):
    hostile = recorded(name=text, actor=text, client_id=text, detail={text: [text]})
    written = (json_line(hostile), plain_json(ocsf(hostile, ISSUER)), syslog_message(hostile, "h").decode("ascii"))
    for line in written:
        assert line.isascii()
        assert line.isprintable()
    assert all(c.isprintable() for c in csv_line(hostile))
    assert canonical(hostile).decode("ascii").count("\n") == 1


@given(st.text())
@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", '"=', *FULL_WIDTH, f" {FULL_WIDTH[0]}"])
def test_no_cell_is_a_formula(start: str, text: str):
    [cells] = csv.reader(io.StringIO(csv_line(recorded(client_id=f"{start}{text}", detail={"=": "="}))))
    named = dict(zip(COLUMNS, cells, strict=True))
    assert not named["client_id"].lstrip().startswith(("=", "+", "-", "@", *FULL_WIDTH))
    assert csv_head().split(",") == list(COLUMNS)


@pytest.mark.parametrize("name", NAMES)
def test_every_event_is_one_of_ocsf(name: str):
    told = ocsf(recorded(name, detail={"scopes": "a b"}), ISSUER)
    assert told["type_uid"] == told["class_uid"] * 100 + told["activity_id"]
    assert told["category_uid"] == told["class_uid"] // 1000
    assert {"activity_id", "severity_id", "time", "metadata"} <= told.keys()
    assert {"product", "version"} <= told["metadata"].keys()
    assert told["metadata"]["event_code"] == name
    assert REQUIRED[told["class_uid"]] <= {member for member, value in told.items() if value}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sign_in.failed", (3002, 1)),
        ("user.disabled", (3001, 5)),
        ("token.refreshed", (3003, 1)),
        ("client.registered", (3004, 1)),
        ("resource.edited", (3004, 3)),
        ("client.deleted", (3004, 4)),
        ("grant.revoked", (6003, 4)),
        ("token.reused", (6003, 99)),
    ],
)
def test_an_event_has_the_class_that_fits(name: str, expected: tuple[int, int]):
    told = ocsf(recorded(name), ISSUER)
    assert (told["class_uid"], told["activity_id"]) == expected


def test_what_was_refused_is_a_failure():
    told = ocsf(recorded("sign_in.failed", outcome="refused"), ISSUER)
    assert (told["status_id"], told["severity_id"]) == (2, 3)


def test_a_message_of_syslog_is_one_of_rfc_5424():
    message = syslog_message(recorded(name="token.issued" * 5 + " \n"), "auth.example").decode()
    assert re.match(r"<110>1 2023-11-14T22:13:20\.007Z auth\.example authserver - [!-~]{1,32} - \{", message)
    assert syslog_message(recorded(outcome="refused"), "h").startswith(b"<108>1 ")
