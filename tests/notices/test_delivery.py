"""Notices: each reaches every target at least once, and a flood of them is few messages."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from authserver.outbound.signed_post import signature
from authserver.protocol.alert import AlertKind
from authserver.services.alerts.watch import Watch
from authserver.services.notices.delivery import MOST_TRIES, delay_after
from authserver.services.notices.targets import NotTold
from authserver.store.notices import Notice
from tests.purging import purge
from tests.store.scene import let_pass
from tests.trail.test_streaming import running, wait_for

from .conftest import SECRET, Desk

ROOT = Path(__file__).resolve().parents[2]


def test_an_alert_is_one_mail_and_one_signed_post_that_say_cause_and_next_step(desk: Desk):
    desk.raise_alert()
    desk.round()
    desk.round()
    [mail] = desk.mails
    assert (mail["To"], mail["Subject"]) == ("ann@admin.example", "[localhost] warning: first destructive use")
    said = mail.get_content()
    assert "- editor used delete_note, which can delete or destroy, for somebody for the first time on https" in said
    assert "What to do: If nobody meant it, revoke the grant" in said
    assert "Where: http://localhost:9000/admin/alerts" in said
    [(headers, body)] = desk.hook.posts
    at = headers["webhook-timestamp"]
    assert headers["webhook-signature"] == signature(SECRET, headers["webhook-id"], at, body)
    posted = json.loads(body)
    assert posted["type"] == "alert.first_destructive_use"
    assert (posted["data"]["count"], posted["data"]["severity"]) == (1, "warning")
    assert "used delete_note" in posted["data"]["items"][0]["text"]
    assert desk.deployment.stores.notices.undelivered() == []


def test_the_documented_example_verifies_a_post_and_nothing_else(desk: Desk):
    example = re.search(r"```python\n(def verified.*?)```", (ROOT / "docs/notices.md").read_text(), re.DOTALL)
    assert example
    names: dict[str, Callable[..., bool]] = {}
    exec(example[1], names)  # noqa: S102 - the documentation's own code
    desk.raise_alert()
    desk.round()
    [(headers, body)] = desk.hook.posts
    verified = names["verified"]
    assert verified(SECRET, headers, body)
    assert not verified(SECRET, headers, body + b" ")
    assert not verified("whsec_" + "A" * 32, headers, body)
    assert not verified(SECRET, {**headers, "webhook-timestamp": "1"}, body)


def test_those_of_one_kind_that_come_soon_are_told_together(desk: Desk):
    notices = desk.deployment.stores.notices
    desk.raise_alert("first")
    desk.round()
    notices.add([Notice("approval.client", {"id": f"c{n}", "name": f"App {n}"}) for n in range(10_000)])
    desk.raise_alert("second")
    desk.raise_alert("third")
    desk.round()
    assert [mail["Subject"] for mail in desk.mails[1:]] == ["[localhost] 10000 × request for a decision"]
    assert "and 9980 more" in desk.mails[1].get_content()
    let_pass(desk.deployment.stores.database, 301)
    desk.round()
    assert desk.mails[2]["Subject"] == "[localhost] warning: 2 × first destructive use"
    assert len(desk.mails) == len(desk.hook.posts) == 3


def test_what_matters_less_than_was_asked_for_is_told_to_nobody(desk_with: Callable[..., Desk]):
    desk = desk_with(notice_severity="critical")
    desk.raise_alert()
    desk.raise_alert(kind=AlertKind.TOKEN_REUSED)
    desk.round()
    assert [mail["Subject"] for mail in desk.mails] == ["[localhost] critical: token reused"]
    assert desk.deployment.stores.notices.waiting() == []


def test_without_targets_nothing_is_kept(desk_with: Callable[..., Desk]):
    desk = desk_with(notice_mail=[], notice_webhook="")
    desk.raise_alert()
    desk.round()
    assert desk.deployment.stores.notices.waiting() == []
    assert desk.deployment.stores.notices.undelivered() == []


def test_a_target_that_is_down_gets_it_later_and_the_others_wait_for_nobody(desk: Desk):
    webhook = desk.deployment.delivery.targets[1]
    desk.hook.status = 503
    desk.raise_alert()
    with pytest.raises(NotTold, match="503"):
        desk.round()
    assert len(desk.mails) == 1
    [message] = desk.deployment.stores.notices.undelivered()
    assert (message.target, message.tries, message.failure) == ("webhook", 1, "it answered with status 503")
    assert not desk.deployment.delivery.deliver(webhook), "it is not due"
    desk.hook.status = 204
    let_pass(desk.deployment.stores.database, 11)
    assert desk.deployment.delivery.deliver(webhook)
    assert desk.hook.posts[0][0]["webhook-id"] == message.id
    assert desk.deployment.stores.notices.undelivered() == []


def test_a_process_that_dies_while_it_sends_leaves_it_to_the_next(desk: Desk):
    desk.raise_alert()
    desk.deployment.watch.gathering.gather()
    store, webhook = desk.deployment.stores.notices, desk.deployment.delivery.targets[1]
    died = store.claim("webhook", 120)
    assert died
    assert not desk.deployment.delivery.deliver(webhook)
    let_pass(desk.deployment.stores.database, 121)
    assert desk.deployment.delivery.deliver(webhook)
    store.failed(died, "it comes back, too late", 10)
    assert [message.target for message in store.undelivered()] == ["mail:ann@admin.example"]


def test_delays_grow_to_an_hour_and_end_after_days():
    delays = [delay_after(tries) for tries in range(1, MOST_TRIES + 1)]
    assert delays[:4] == [10, 20, 40, 80]
    assert (delays[-2], delays[-1]) == (3600, None)
    assert 2 < sum(delay or 0 for delay in delays) / 86_400 < 4


def test_what_cannot_be_told_is_an_alert_in_the_console(desk: Desk):
    desk.hook.status = 500
    desk.raise_alert()
    for _ in range(5):
        with pytest.raises(NotTold):
            desk.round()
        let_pass(desk.deployment.stores.database, 200)
    desk.deployment.watch.look_at_state()
    desk.deployment.watch.look_at_state()
    kinds = [line.kind for line in desk.deployment.stores.alerts.standing(None, 10)]
    assert sorted(kinds) == ["first_destructive_use", "notices_undelivered"]


def test_old_ones_are_purged(desk: Desk):
    desk.raise_alert()
    desk.round()
    desk.raise_alert("other")
    let_pass(desk.deployment.stores.database, 8 * 86_400)
    gone = purge(desk.deployment.stores.database)
    assert (gone["notices"], gone["notice_messages"]) == (1, 2)


def test_no_strangers_words_become_a_link_a_line_or_a_header(desk: Desk):
    nasty = "Bank\r\nBcc: x@evil.example\n\nClick https://evil.example/now \u202e\x1b]8;;x\x07"
    store = desk.deployment.stores.notices
    store.add([Notice("approval.client", {"id": "c", "name": nasty, "what": f"sends people to {nasty}", "who": nasty})])
    desk.raise_alert("https://evil.example/tool\nx: y")
    desk.round()
    for mail in desk.mails:
        said = mail.get_content()
        assert "evil.example" not in said
        assert "https://evil" not in said
        assert mail["Bcc"] is None
        assert not [line for line in said.splitlines() if line.startswith(("Bcc", "Click", "x:"))]
        assert {character for character in said if not character.isprintable()} == {"\r", "\n"}


def test_a_watch_that_never_catches_up_still_gathers(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Watch, "look", lambda self: True)
    desk.raise_alert()
    with running(replace(desk.deployment.watch, pause=0.01)):
        wait_for(lambda: len(desk.deployment.stores.notices.undelivered()) == 2)
