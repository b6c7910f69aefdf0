"""What strangers called things reaches the terminal as text: no escape sequence, no line of its own, no turned text."""

import json

import click
import pytest
from click.testing import CliRunner

from authserver.cli import main
from authserver.protocol.credential import digest
from authserver.protocol.policy import reading
from authserver.protocol.tool_receipt import ToolReceipt
from tests.cli.conftest import commanded
from tests.conformance.site import NOTES, Site
from tests.web.pages.test_hostile_names import EVENT, HOSTILE, hostile

__all__ = ["hostile"]

NOW_MS = 1_790_000_000_000
READING = {
    "alert list": "",
    "api document": "",
    "approval list": "",
    "audit export": "",
    "audit list": "",
    "audit verify": "",
    "call list": "",
    "call volumes": "",
    "client alike": "",
    "client history": "{client}",
    "client list": "",
    "client reap": "--dry-run",
    "client show": "{client}",
    "document show": "{document}",
    "domain list": "",
    "export": "",
    "grant families": "{grant}",
    "grant list": "",
    "keys list": "",
    "notices list": "",
    "overview": "",
    "policy explain": "--user eve --client {client} --server {server}",
    "policy list": "",
    "policy requests": "",
    "registration-token list": "",
    "resource list": "",
    "resource show": "{server}",
    "settings": "",
    "trace list": "--all",
    "trace show": "{trace}",
    "user groups": "",
    "user invitations": "",
    "user list": "",
    "user show": "eve",
}
"""Every command that only shows what there is, and what it is asked about."""

ELSEWHERE = {"doctor", "grant whose", "policy replay", "resource diff"}
"""Those that show something only of what they are given; their own tests give them what is hostile."""


@pytest.fixture
def asked(hostile: tuple[Site, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A site where everything is called so, and what the commands are asked about."""
    site, of = hostile
    stores = site.deployment.stores
    receipt = ToolReceipt(
        "0" * 32, NOW_MS, "eve", HOSTILE, None, HOSTILE, {HOSTILE: HOSTILE}, "ok", 200, 2.5, "c0ffee", None, None
    )
    stores.tool_receipts.keep(NOTES.identifier, [receipt])
    stores.initial_access_tokens.add(digest("a token"), HOSTILE, None, None, EVENT)
    stores.policies.apply(reading.read([{"name": "a rule", "effect": "deny", "who": ["group:x"]}]), 0, EVENT)
    document = "https://app.example/client.json"
    stores.fetched.claim(document, 60)
    stores.fetched.keep(document, json.dumps({"client_name": HOSTILE}, ensure_ascii=False), None, None, 60)
    stores.fetched.fail(document, HOSTILE, 60)
    notice = stores.notices.send("test", {}, f"mail:{HOSTILE}", 60)
    stores.notices.failed(notice, HOSTILE, None)
    site.seal()
    commanded(site, monkeypatch)
    wanted = {name: of[name].removeprefix("id=") for name in ("client", "trace")}
    return {
        **wanted,
        "grant": of["grant"].removeprefix("id="),
        "server": NOTES.identifier,
        "document": document,
    }


def commands(group: click.Group, *words: str) -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= commands(command, *words, name)
        else:
            found[" ".join((*words, name))] = command
    return found


def shows(name: str, command: click.Command) -> bool:
    return name.endswith((" list", " show")) or told_to_programs(command)


def told_to_programs(command: click.Command) -> bool:
    return "as_json" in {parameter.name for parameter in command.params}


def test_the_walk_goes_by_every_command_that_shows_something() -> None:
    known = commands(main)
    assert known.keys() >= READING.keys()
    assert {name for name, command in known.items() if shows(name, command)} - ELSEWHERE <= READING.keys()


def test_every_list_has_a_form_for_programs() -> None:
    known = commands(main)
    lacking = {name for name in READING if not told_to_programs(known[name])}
    assert lacking == {"api document", "audit export", "client reap", "document show", "export"}


def test_what_strangers_wrote_is_text_in_the_terminal(asked: dict[str, str]) -> None:
    met = 0
    known = commands(main)
    for name, about in READING.items():
        line = [*name.split(), *about.format(**asked).split()]
        for words in (line, [*line, "--json"]) if told_to_programs(known[name]) else (line,):
            answer = CliRunner().invoke(main, words)
            assert answer.exit_code == 0, (words, answer.output, answer.exception)
            odd = {character for character in answer.output if not (character.isprintable() or character == "\n")}
            assert not odd, (words, odd)
            met += "<script>" in answer.output
    assert met >= 20, "the walk met what it was sent for"
