"""Receipts over HTTP: from a guard, about its own server alone; and what they tell that is unusual."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import jwt
import pytest
from werkzeug.test import TestResponse

from authserver.protocol.audit import Event
from authserver.protocol.client import ClientKind
from authserver.protocol.tool import Tool
from authserver.store.tool_calls import CallFilter
from tests.conformance.flow import Flow
from tests.conformance.signer import Signer
from tests.conformance.site import CALENDAR, NOTES, Site
from tests.conformance.visitor import Visitor

from .test_client_credentials import SECRET, machine
from .test_revocation import basic, resource_server

pytestmark = pytest.mark.requirement("RS-8", "RS-11")

DAY = 86_400
Called = Callable[..., dict[str, Any]]


@pytest.fixture
def guard(site: Site) -> dict[str, str]:
    return resource_server(site, NOTES.identifier)


@pytest.fixture
def called(flow: Flow, visitor: Visitor) -> Called:
    """Makes receipts of calls with a token of Ada's."""
    flow.register()
    token = flow.tokens(visitor)["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})

    def make(**changes: Any) -> dict[str, Any]:
        return receipt(
            subject=claims["sub"], client=claims["client_id"], family=claims["jti"].partition(".")[0], **changes
        )

    return make


def receipt(ago: float = 0, **changes: Any) -> dict[str, Any]:
    made = {
        "id": uuid4().hex,
        "time": datetime.fromtimestamp(time.time() - ago, UTC).isoformat(timespec="milliseconds"),
        "subject": "somebody",
        "client": "some-client",
        "family": None,
        "tool": "list_notes",
        "arguments": {},
        "outcome": "ok",
        "status": 200,
        "duration_ms": 1.5,
        "correlation_id": uuid4().hex,
        "trace_id": None,
        "span_id": None,
    }
    return {**made, **changes}


def send(site: Site, headers: dict[str, str], *receipts: Any, **form: str) -> TestResponse:
    return site.post("/tool-receipts", data={"receipts": json.dumps(receipts), **form}, headers=headers)


def listed(site: Site, **wanted: Any) -> list[Any]:
    return list(site.deployment.stores.tool_calls.page(CallFilter(**wanted), None, 100))


def test_a_guards_receipts_are_kept_under_the_grant_and_repeated_ones_count_once(
    site: Site, guard: dict[str, str], called: Called
):
    one, two = called(), called(tool="write_note", outcome="refused 403")
    assert send(site, guard, one, two).json == {"accepted": 2, "repeated": 0, "refused": []}
    assert send(site, guard, two, called()).json == {"accepted": 1, "repeated": 1, "refused": []}
    lines = listed(site, client_id=one["client"])
    assert [line.tool for line in lines].count("write_note") == 1
    assert {(line.username, line.resource) for line in lines} == {("ada", NOTES.identifier)}


def test_one_that_is_not_read_is_refused_by_index_without_the_others(site: Site, guard: dict[str, str], called: Called):
    answer = send(site, guard, called(), called(status="200"), called())
    assert answer.json == {
        "accepted": 2,
        "repeated": 0,
        "refused": [{"index": 1, "reason": "status is not as it should be"}],
    }


def test_a_guard_says_nothing_of_another_servers_grants_and_learns_nothing_of_them(site: Site, called: Called):
    stranger = resource_server(site, CALENDAR.identifier)
    given = called()
    assert send(site, stranger, given).json == {"accepted": 1, "repeated": 0, "refused": []}
    [line] = listed(site, client_id=given["client"])
    assert (line.resource, line.user_id, line.grant_id) == (CALENDAR.identifier, None, None)
    assert send(site, stranger, receipt()).json == {"accepted": 1, "repeated": 0, "refused": []}, "the same answer"


def test_only_a_guard_sends_receipts(site: Site, flow: Flow):
    flow.register()
    for client_id in (flow.values["client_id"], machine(site).client.client_id):
        answer = send(
            site, {}, receipt(), client_id=client_id, client_secret=SECRET * (client_id != flow.values["client_id"])
        )
        assert (answer.status_code, answer.json["error"]) == (400, "unauthorized_client")
    assert send(site, basic("nobody", "wrong"), receipt()).status_code == 401
    assert send(site, {}, receipt()).status_code in {400, 401}


def test_a_guard_proves_itself_by_its_key_and_each_proof_counts_once(site: Site):
    signer = Signer.new()
    guard = machine(site, signer, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier})
    proof = guard.proof()
    assert send(site, {}, receipt(), **proof).json["accepted"] == 1
    assert send(site, {}, receipt(), **proof).status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"receipts": "{}"},
        {"receipts": "[" * 50_000},
        {"receipts": json.dumps([0] * 501)},
        {"receipts": "[]", "lost": "-1"},
        {"receipts": "[]", "lost": "9" * 5000},
    ],
)
def test_what_is_no_batch_is_refused_whole(site: Site, guard: dict[str, str], form: dict[str, str]):
    answer = site.post("/tool-receipts", data=form, headers=guard)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_a_batch_has_a_bound_of_its_own(site: Site, guard: dict[str, str]):
    assert send(site, guard, *[receipt(arguments={"a": "x" * 250}) for _ in range(500)]).json["accepted"] == 500
    answer = send(site, guard, *[receipt(arguments={str(n): "x" * 250 for n in range(32)}) for _ in range(120)])
    assert (answer.status_code, answer.json["error"]) == (413, "invalid_request")
    assert site.post("/introspect", data={"token": "x" * 70_000}, headers=guard).status_code == 413


def test_text_that_no_database_holds_gives_no_500(site: Site, guard: dict[str, str]):
    odd = "a\0b\ud800c\U0001f600"
    answer = send(site, guard, receipt(subject=odd, client=odd, family=odd, tool=odd, arguments={odd: odd}))
    assert answer.json["accepted"] == 1


def test_the_metadata_names_the_endpoint_and_browsers_have_no_business_there(site: Site, guard: dict[str, str]):
    metadata = site.get("/.well-known/oauth-authorization-server").json
    assert metadata["tool_receipts_endpoint"] == f"{metadata['issuer']}/tool-receipts"
    assert "Access-Control-Allow-Origin" not in send(site, guard, receipt()).headers
    assert site.get("/tool-receipts").status_code == 405


@pytest.fixture
def strict(site_with: Callable[..., Site]) -> Site:
    """An application of the test's own, with low thresholds and a tool that destroys."""
    site = site_with(unusual_refusals=3, unusual_calls_least=10, unusual_calls_factor=5)
    notes = replace(NOTES, tools=(*NOTES.tools, Tool("delete_note", "Delete a note", ("notes:delete",))))
    site.deployment.stores.resources.replace(notes, Event("resource.changed", "system"))
    return site


def alerts(site: Site) -> list[tuple[str, str | None]]:
    return sorted((line.kind, line.tool) for line in site.deployment.stores.alerts.standing(None, 100))


def called_at(site: Site) -> Called:
    flow = Flow(site)
    flow.register()
    claims = jwt.decode(flow.tokens(Visitor(site))["access_token"], options={"verify_signature": False})
    family = claims["jti"].partition(".")[0]
    return partial(receipt, subject=claims["sub"], client=claims["client_id"], family=family)


def test_the_first_use_of_a_destructive_tool_by_a_client_for_a_person_is_told_once(strict: Site):
    guard, called = resource_server(strict, NOTES.identifier), called_at(strict)
    send(strict, guard, called(), called(tool="delete_note", outcome="refused 403"), receipt(tool="delete_note"))
    assert alerts(strict) == []
    send(strict, guard, called(tool="delete_note"), called(tool="delete_note"))
    send(strict, guard, called(tool="delete_note"))
    assert alerts(strict) == [("first_destructive_use", "delete_note")]
    send(strict, guard, called_at(strict)(tool="delete_note"))
    assert len(alerts(strict)) == 2, "another client"


def test_calls_far_above_a_tools_own_normal_are_told_once_a_day(strict: Site):
    guard = resource_server(strict, NOTES.identifier)
    send(
        strict,
        guard,
        *(receipt(day * DAY + 100, tool=tool) for day in range(2, 5) for tool in ("a", "b") for _ in range(7)),
    )
    send(strict, guard, *(receipt(tool="a") for _ in range(11)), *(receipt(tool="b") for _ in range(10)))
    assert alerts(strict) == [], "21 in the week before is 3 a day, of which 11 are not yet five times as many"
    send(strict, guard, *(receipt(tool="a") for _ in range(4)))
    send(strict, guard, *(receipt(tool="new") for _ in range(50)))
    send(strict, guard, receipt(tool="a"))
    assert alerts(strict) == [("many_calls", "a")]


def test_many_refused_calls_of_a_client_are_told(strict: Site):
    guard, called = resource_server(strict, NOTES.identifier), called_at(strict)
    send(strict, guard, *(receipt(outcome="refused 403") for _ in range(9)))
    send(
        strict, guard, called(outcome="refused 403"), called(outcome="refused 403"), called(4000, outcome="refused 403")
    )
    assert alerts(strict) == [], "of a client that nobody knows; and too few, or too long ago"
    send(strict, guard, called(outcome="refused 403"))
    assert alerts(strict) == [("many_refusals", None)]


def test_that_receipts_were_lost_is_told(strict: Site):
    guard = resource_server(strict, NOTES.identifier)
    assert send(strict, guard, lost="17").json["accepted"] == 0
    [line] = strict.deployment.stores.alerts.standing(None, 10)
    assert (line.kind, line.resource, line.detail) == ("receipts_lost", NOTES.identifier, {"receipts": 17})
