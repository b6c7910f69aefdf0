"""Alerts and tool calls by command."""

import json
import time
from collections.abc import Callable

import pytest

from authserver.cli import main
from authserver.cli.deployment import deployment
from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event
from authserver.protocol.tool_receipt import ToolReceipt
from authserver.store.alerts import Alert
from authserver.store.stores import Stores
from tests.cli.conftest import Run

EVENT = Event("test.done", "system")
SERVER = "https://n.example/mcp"


@pytest.fixture
def filled(run: Run) -> Callable[[Callable[[Stores], object]], None]:
    """Does something in the database of the commands."""

    def do(act: Callable[[Stores], object]) -> None:
        with main.make_context("authserver", ["alert", "list"]):
            act(deployment().stores)

    return do


def receipt(number: int, tool: str, outcome: str = "ok") -> ToolReceipt:
    now = int(time.time() * 1000) + number
    return ToolReceipt(
        f"{number:032}",
        now,
        "somebody",
        "an-app",
        None,
        tool,
        {"q": "\x1b[31m"},
        outcome,
        200,
        2.5,
        "c0ffee",
        None,
        None,
    )


def test_alerts_are_listed_critical_ones_first_and_dismissed(run: Run, filled) -> None:
    first = Alert(AlertKind.TRAIL_BROKEN, "", occasion="a")
    others = [Alert(AlertKind.MANY_CALLS, SERVER, tool="\x1b[31mx", occasion=str(n)) for n in range(3)]
    filled(lambda stores: [stores.alerts.raise_new([one], EVENT) for one in (first, *others)])
    head, *lines = run("alert", "list").output.splitlines()
    assert head.split() == ["ID", "SEVERITY", "RAISED", "WHAT"]
    assert [line.split()[1] for line in lines] == ["critical", *["warning"] * 3]
    assert "\x1b" not in "".join(lines)
    told = [json.loads(line) for line in run("alert", "list", "--json").output.splitlines()]
    assert {one["id"] for one in told} == {first.id, *(one.id for one in others)}
    assert run("alert", "dismiss", told[1]["id"], "--older").output == "dismissed 3\n"
    assert run("alert", "list").output.splitlines()[1].startswith(first.id)
    assert run("alert", "dismiss", first.id).exit_code == 0
    again = run("alert", "dismiss", first.id)
    assert again.exit_code == 1
    assert "there is no alert of this id" in again.output
    assert run("alert", "list").output == ""


def test_tool_calls_are_listed_newest_first_by_what_they_were_about(run: Run, filled) -> None:
    given = [receipt(1, "read"), receipt(2, "write"), receipt(3, "write", "refused_scope")]
    filled(lambda stores: stores.tool_receipts.keep(SERVER, given))
    head, *lines = run("call", "list").output.splitlines()
    assert head.split() == ["WHEN", "OUTCOME", "TOOL", "AS", "BY", "SERVER"]
    assert ["refused" in line for line in lines] == [True, False, False]
    told = [json.loads(line) for line in run("call", "list", "--tool", "write", "--json").output.splitlines()]
    assert [one["outcome"] for one in told] == ["refused_scope", "ok"]
    assert run("call", "list", "--server", "https://other.example/mcp").output == ""
    assert len(run("call", "list", "--client", "an-app", "--limit", "2", "--json").output.splitlines()) == 2
    assert run("call", "list", "--user", "nobody").exit_code == 1
    busiest, _ = [json.loads(line) for line in run("call", "volumes", "--json").output.splitlines()]
    assert (busiest["tool"], busiest["day"], busiest["week"], busiest["refused"]) == ("write", 2, 2, 1)
    assert run("call", "volumes").output.splitlines()[1].split() == ["write", SERVER, "2", "2", "1"]
    assert run("call", "volumes", "--server", "https://other.example/mcp").output == ""
