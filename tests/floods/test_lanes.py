"""Whose turn it is: no kind of request takes the threads of another, and nobody waits without end."""

import pytest

from authserver.web.arriving import MOST_BODY, MOST_HEAD, Come, come
from authserver.web.lanes import MOST_WAITING, PATIENCE, Lane, Turns, lane_of, together_of, widths

OTHERS = [lane for lane in Lane if lane is not Lane.CALLS]


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 8, 64])
def test_all_kinds_together_leave_threads_to_the_calls(threads: int) -> None:
    turns: Turns[int] = Turns(threads)
    started = sum(turns.enter(lane, number) is True for lane in OTHERS for number in range(threads))
    assert started == together_of(threads) <= max(1, threads - 2)
    assert turns.enter(Lane.CALLS, 0) is True
    assert all(width >= 1 for width in widths(threads).values())


def test_one_kind_leaves_room_for_the_next() -> None:
    turns: Turns[str] = Turns(8)
    while turns.enter(Lane.ACCOUNTS, "a flood") is not None:
        pass
    assert turns.enter(Lane.PAGES, "somebody") is True
    assert turns.enter(Lane.AUTHORIZATIONS, "somebody") is True


def test_who_waits_goes_in_turn_when_one_is_done() -> None:
    turns: Turns[int] = Turns(8)
    running = [number for number in range(10) if turns.enter(Lane.ADMINISTRATION, number)]
    assert running == [0, 1]
    assert turns.leave(Lane.ADMINISTRATION) == [(Lane.ADMINISTRATION, 2)]
    assert turns.leave(Lane.ADMINISTRATION) == [(Lane.ADMINISTRATION, 3)]


def test_whose_lane_was_free_but_not_the_threads_goes_when_any_is_done() -> None:
    turns: Turns[str] = Turns(3)
    assert turns.enter(Lane.PAGES, "first") is True
    assert turns.enter(Lane.BULK, "second") is False
    assert turns.leave(Lane.PAGES) == [(Lane.BULK, "second")]


def test_calls_that_end_start_nobody_and_take_nothing() -> None:
    turns: Turns[str] = Turns(3)
    assert [turns.enter(Lane.CALLS, "call") for _ in range(1000)] == [True] * 1000
    assert turns.enter(Lane.PAGES, "page") is True
    assert turns.enter(Lane.PAGES, "waits") is False
    assert turns.leave(Lane.CALLS) == []


def test_who_is_done_keeps_the_turn_for_a_moment_while_nobody_waits_for_one() -> None:
    turns: Turns[str] = Turns(3)
    assert turns.enter(Lane.AUTHORIZATIONS, "first") is True
    assert {lane for lane in Lane if turns.spares(lane)} == {Lane.CALLS, Lane.AUTHORIZATIONS}
    assert turns.enter(Lane.PAGES, "waits") is False
    assert {lane for lane in Lane if turns.spares(lane)} == {Lane.CALLS}
    assert turns.leave(Lane.AUTHORIZATIONS) == [(Lane.PAGES, "waits")]
    assert turns.spares(Lane.AUTHORIZATIONS)


def test_the_queue_is_bounded_and_nobody_waits_without_end() -> None:
    now = [0.0]
    turns: Turns[int] = Turns(8, clock=lambda: now[0])
    width = widths(8)[Lane.REGISTRATIONS]
    answers = [turns.enter(Lane.REGISTRATIONS, number) for number in range(width + MOST_WAITING + 1)]
    assert answers == [True] * width + [False] * MOST_WAITING + [None]
    assert turns.weary() == []
    now[0] += PATIENCE
    assert [who for _, who in turns.weary()] == list(range(width, width + MOST_WAITING))
    assert turns.leave(Lane.REGISTRATIONS) == []


@pytest.mark.parametrize(
    ("line", "lane"),
    [
        (b"POST /token HTTP/1.1", Lane.CALLS),
        (b"GET /jwks?x=1 HTTP/1.1", Lane.CALLS),
        (b"GET /.well-known/oauth-authorization-server HTTP/1.1", Lane.CALLS),
        (b"GET /status/abc HTTP/1.1", Lane.CALLS),
        (b"GET /health/live HTTP/1.1", Lane.CALLS),
        (b"\r\n\r\nPOST /register HTTP/1.1\r\nHost: localhost\r\n\r\n", Lane.REGISTRATIONS),
        (b"GET /%61uthorize?x=1 HTTP/1.1", Lane.AUTHORIZATIONS),
        (b"GET http://localhost/authorize HTTP/1.1", Lane.AUTHORIZATIONS),
        (b"POST http://localhost/%74ool-receipts#x HTTP/1.1", Lane.BULK),
        (b"POST http://localhost HTTP/1.1", Lane.ACCOUNTS),
        (b"GET x:/authorize?x=1 HTTP/1.1", Lane.AUTHORIZATIONS),
        (b"POST x:/register/https://h/status/a HTTP/1.1", Lane.REGISTRATIONS),
        (b"GET http://[/token HTTP/1.1", Lane.PAGES),
        (b"POST /register HTTP/1.1", Lane.REGISTRATIONS),
        (b"PUT /register/abc HTTP/1.1", Lane.REGISTRATIONS),
        (b"GET /authorize?client_id=x HTTP/1.1", Lane.AUTHORIZATIONS),
        (b"POST /authorize?client_id=x HTTP/1.1", Lane.AUTHORIZATIONS),
        (b"POST /sign-in HTTP/1.1", Lane.ACCOUNTS),
        (b"GET /sign-in HTTP/1.1", Lane.PAGES),
        (b"GET /admin/grants HTTP/1.1", Lane.ADMINISTRATION),
        (b"GET /api/v1/overview HTTP/1.1", Lane.ADMINISTRATION),
        (b"POST /tool-receipts HTTP/1.1", Lane.BULK),
        (b"nonsense", Lane.PAGES),
        (b"", Lane.PAGES),
        (b"GET \xff\xfe HTTP/1.1", Lane.PAGES),
    ],
)
@pytest.mark.parametrize("base", ["", "/tenant"])
def test_a_request_has_its_lane_by_its_first_line(line: bytes, lane: Lane, base: str) -> None:
    assert lane_of(line.replace(b" /", f" {base}/".encode(), 1), f"https://auth.example{base}") is lane


HEAD = b"POST /token HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"", Come.PART),
        (b"GET / HT", Come.PART),
        (b"GET / HTTP/1.1\r\n\r\n", Come.WHOLE),
        (b"GET / HTTP/1.1\r\n\r\nGET /next", Come.WHOLE),
        (b"x" * (MOST_HEAD + 1), Come.TOO_MUCH),
        (HEAD + b"Content-Length: 3\r\n\r\nab", Come.PART),
        (HEAD + b"content-length:3\r\n\r\nabc", Come.WHOLE),
        (HEAD + b"Content-Length: 0000000000000003\r\n\r\nab", Come.PART),
        (HEAD + b"Content-Length: 0000000000000003\r\n\r\nabc", Come.WHOLE),
        (HEAD + b"Content-Length: 0000000000070000\r\n\r\n", Come.STREAM),
        (HEAD + b"Content-Length: 0000000000000000\r\n\r\n", Come.WHOLE),
        (HEAD + f"Content-Length: {MOST_BODY + 1}\r\n\r\n".encode(), Come.STREAM),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", Come.STREAM),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", Come.STREAM),
        (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", Come.STREAM),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", Come.STREAM),
        (HEAD + b"Content-Length: many\r\n\r\n", Come.WHOLE),
    ],
)
def test_it_is_seen_when_all_of_a_request_has_come(received: bytes, expected: Come) -> None:
    assert come(received) is expected
