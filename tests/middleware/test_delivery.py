"""Receipts on their way to the issuer: in batches, at least once, and never in the way of a call."""

import asyncio
import gc
import json
import logging
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_token_guard import Guard, Receipts
from mcp_token_guard import delivery as module
from mcp_token_guard.background import start
from mcp_token_guard.delivery import Delivery
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.granting import key_file
from tests.middleware.issuer import RESOURCE, Issuer
from tests.middleware.test_receipts import Answering, result

pytestmark = pytest.mark.requirement("RS-8")

PATH = "/tool-receipts"
MCP = b"application/json"


class Receiving:
    """The issuer's endpoint: keeps what comes, and answers by *answer* where that is given."""

    def __init__(self, issuer: Issuer) -> None:
        issuer.metadata["tool_receipts_endpoint"] = issuer.url + PATH
        issuer.answers[PATH] = self._answered
        self.batches: list[list[dict[str, Any]]] = []
        self.forms: list[dict[str, str]] = []
        self.answer: Any = None

    @property
    def ids(self) -> list[str]:
        return [receipt["id"] for batch in self.batches for receipt in batch]

    def _answered(self, form: dict[str, str]) -> Any:
        batch = json.loads(form["receipts"])
        found = self.answer(batch) if callable(self.answer) else self.answer
        if found is None:
            self.forms.append(form)
            self.batches.append(batch)
        return {"accepted": len(batch), "repeated": 0, "refused": []} if found is None else found


@pytest.fixture
def receiving(issuer: Issuer) -> Receiving:
    return Receiving(issuer)


def sending(issuer: Issuer, folder: Path, **settings: Any) -> Guard:
    receipts = Receipts({"*": ["a"]}, spool=folder / "spool", **settings)
    return Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", identity=key_file(folder), receipts=receipts)


async def deliver(guard: Guard) -> None:
    """Have the guard's thread send what waits, now."""
    await asyncio.wrap_future(start(delivery_of(guard).deliver()))


def delivery_of(guard: Guard) -> Delivery:
    assert guard.delivery is not None
    return guard.delivery


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_call_is_sent_as_the_guard_itself(issuer: Issuer, receiving: Receiving, tmp_path: Path):
    client = Client(sending(issuer, tmp_path), Answering(MCP, result()))
    token = issuer.token(jti="family1.own")
    await client.send(body=tool_call("read_note", 1, a="b", c="d"), token=token)
    await until(lambda: bool(receiving.batches))
    [[receipt]], [form] = receiving.batches, receiving.forms
    assert receipt["arguments"] == {"a": "b", "c": "[redacted]"}
    assert (receipt["family"], receipt["tool"], receipt["outcome"]) == ("family1", "read_note", "ok")
    assert form["client_assertion"]
    assert all(part not in str(receiving.batches) for part in token.split("."))
    await until(lambda: not any(file.stat().st_size for file in (tmp_path / "spool").rglob("*.receipts")))


async def test_it_is_on_disk_before_the_answer_has_left(issuer: Issuer, tmp_path: Path):
    """So a process that is killed after it answered loses no receipt; the end of an answer is not waited for."""
    seen: list[int] = []
    event = b"event: message\ndata: " + result() + b"\n\n"

    class Watching(Answering):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def watched(event: Any) -> None:
                await send(event)
                seen.append(sum(file.stat().st_size for file in (tmp_path / "spool").rglob("*.receipts")))

            await super().__call__(scope, receive, watched)

    guard = sending(issuer, tmp_path)
    await Client(guard, Watching(b"text/event-stream", b": ping\n\n", event)).call("read_note", token=issuer.token())
    started, pinged, told, ended = seen
    assert started == pinged == 0
    assert told == ended > 0


@pytest.mark.parametrize(
    ("media", "bodies"),
    [
        (MCP, [result()]),
        (MCP, [b"{"]),
        (MCP, [b" " * 70_000 + result()]),
        (b"text/event-stream", [b"data: " + b" " * 70_000 + result() + b"\n\n"]),
        (b"text/plain", [b"x"]),
    ],
)
async def test_whatever_is_answered_is_on_disk_by_then(
    issuer: Issuer, tmp_path: Path, media: bytes, bodies: list[bytes]
):
    guard = sending(issuer, tmp_path)
    kept: list[Path] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", media), (b"content-length", b"%d" % sum(map(len, bodies)))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for body in bodies:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        kept.extend((tmp_path / "spool").rglob("*.receipts"))
        await send({"type": "http.response.body"})

    await Client(guard, app).call("read_note", token=issuer.token())  # type: ignore[arg-type]
    assert [file.read_bytes().count(b"\n") for file in kept] == [1]


async def test_while_the_issuer_fails_calls_go_on_and_all_arrives_afterwards_once(
    issuer: Issuer, receiving: Receiving, tmp_path: Path, caplog
):
    caplog.set_level(logging.INFO, "mcp_token_guard")
    guard = sending(issuer, tmp_path)
    for answer in (
        (500, b"oops"),
        (200, b"<html>"),
        {"accepted": 0, "repeated": 0, "refused": []},
        (503, b"{}"),
        (401, b'{"error": "invalid_client"}'),
    ):
        receiving.answer = answer
        assert (await Client(guard, Answering(MCP, result())).call("read_note", token=issuer.token())).status == 200
        await deliver(guard)
    receiving.answer = None
    await deliver(guard)
    await until(lambda: len(receiving.ids) == 5)
    assert len(set(receiving.ids)) == 5
    told = [record.message for record in caplog.records if record.name == "mcp_token_guard"]
    assert [line.split(",")[0] for line in told if "receipts" in line] == [
        "receipts cannot be sent",
        "receipts are sent again",
    ]


async def test_batches_are_bounded_and_one_that_is_not_read_is_divided(
    issuer: Issuer, receiving: Receiving, tmp_path: Path, caplog
):
    guard = sending(issuer, tmp_path)
    delivery = delivery_of(guard)
    for number in range(250):
        delivery._spool.put(b'{"id": "%d"}\n' % number)
    sizes: list[int] = []

    def refusing(batch: list[dict[str, Any]]) -> Any:
        sizes.append(len(batch))
        wrong = any(receipt["id"] == "17" for receipt in batch)
        return (400, b'{"error": "invalid_request", "error_description": "no"}') if wrong else None

    receiving.answer = refusing
    delivery.begin()
    await until(lambda: len(receiving.ids) == 249)
    assert max(sizes) == 100
    assert sorted(map(int, receiving.ids)) == [number for number in range(250) if number != 17]
    assert "a receipt is lost" in caplog.text
    await until(lambda: any("lost" in form for form in receiving.forms))
    assert [form["lost"] for form in receiving.forms if "lost" in form] == ["1"]


async def test_a_configuration_that_is_refused_costs_no_receipt(issuer: Issuer, receiving: Receiving, tmp_path: Path):
    guard = sending(issuer, tmp_path)
    await Client(guard, Answering(MCP, result())).call("read_note", token=issuer.token())
    for answer in ((400, b'{"error": "unauthorized_client"}'), (403, b"{}"), (404, b"{}"), (429, b"{}")):
        receiving.answer = answer
        await deliver(guard)
    receiving.answer = None
    await deliver(guard)
    await until(lambda: len(receiving.ids) == 1)


async def test_lines_that_are_no_receipts_are_left_out(issuer: Issuer, receiving: Receiving, tmp_path: Path):
    guard = sending(issuer, tmp_path)
    for line in (b"{", b'"text"', b"\xff", b'{"id": "1"}', b"", b"[" * 5000):
        delivery_of(guard)._spool.put(line + b"\n")
    delivery_of(guard).begin()
    await until(lambda: bool(receiving.batches))
    assert receiving.batches == [[{"id": "1"}]]


async def test_what_the_disk_does_not_take_is_counted_and_told_and_fails_no_call(
    issuer: Issuer, receiving: Receiving, tmp_path: Path, caplog
):
    guard = sending(issuer, tmp_path)
    (tmp_path / "spool").write_text("a file where the folder should be")
    client = Client(guard, Answering(MCP, result()))
    for _ in range(3):
        assert (await client.call("read_note", token=issuer.token())).status == 200
    assert [line for line in caplog.messages if "cannot be written" in line] == [
        line for line in caplog.messages if "is lost" in line
    ]
    assert caplog.text.count("a receipt is lost") == 1
    (tmp_path / "spool").unlink()
    assert (await client.call("read_note", token=issuer.token())).status == 200
    await until(lambda: bool(receiving.forms))
    assert sum(int(form.get("lost", "0")) for form in receiving.forms) == 3
    await deliver(guard)
    assert sum(int(form.get("lost", "0")) for form in receiving.forms) == 3, "told once"


async def test_a_full_spool_loses_the_newest_and_says_how_many(issuer: Issuer, receiving: Receiving, tmp_path: Path):
    receiving.answer = (503, b"{}")
    guard = sending(issuer, tmp_path, spool_bytes=64 * 1024)
    client, token, sent = Client(guard, Answering(MCP, result())), issuer.token(), 0
    while not delivery_of(guard)._lost:
        await client.call("read_note", token=token)
        sent += 1
    receiving.answer = None
    await deliver(guard)
    await until(lambda: len(receiving.ids) == sent - 1)
    assert [form["lost"] for form in receiving.forms if "lost" in form] == ["1"]


async def test_an_end_flushes_and_is_not_held_up(
    issuer: Issuer, receiving: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
):
    guard = sending(issuer, tmp_path)
    await Client(guard, Answering(MCP, result())).call("read_note", token=issuer.token())
    with monkeypatch.context() as patient:
        patient.setattr(module, "ENDING_SECONDS", 30)
        await guard.settle()
    assert len(receiving.ids) == 1
    assert list((tmp_path / "spool").rglob("*.receipts")) == []

    released = threading.Event()
    receiving.answer = lambda batch: (released.wait(30), None)[1]
    await Client(guard, Answering(MCP, result())).call("read_note", token=issuer.token())
    await guard.settle()
    assert len(receiving.ids) == 1
    assert "did not take them in time" in caplog.text
    released.set()


async def test_what_a_former_process_left_is_sent_when_the_server_begins(
    issuer: Issuer, receiving: Receiving, tmp_path: Path
):
    former = sending(issuer, tmp_path)
    delivery_of(former)._spool.put(b'{"id": "left"}\n')
    delivery_of(former)._spool.forget()  # as its process would, ending
    events: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})

    async def send(event: Any) -> None:
        events.append(event)

    server = sending(issuer, tmp_path).asgi(app)
    await server({"type": "lifespan"}, send, send)  # type: ignore[arg-type]
    await until(lambda: receiving.ids == ["left"])


async def test_the_thread_keeps_no_guard_that_nobody_has(issuer: Issuer, receiving: Receiving, tmp_path: Path):
    guard = sending(issuer, tmp_path)
    delivery_of(guard).begin()
    alive = weakref.ref(delivery_of(guard))
    del guard
    await until(lambda: gc.collect() >= 0 and alive() is None)


def test_settings_that_cannot_be_right_are_refused(issuer: Issuer, tmp_path: Path):
    with pytest.raises(ValueError, match="spool_bytes"):
        Receipts(spool=tmp_path, spool_bytes=1)
    with pytest.raises(ValueError, match="identity"):
        Guard(RESOURCE, issuer=issuer.url, scopes="a", receipts=Receipts(spool=tmp_path))
