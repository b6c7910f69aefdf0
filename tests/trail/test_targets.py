"""Targets: each takes a batch whole, or says that it did not."""

import json
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from authserver.outbound.fetch import trusting
from authserver.outbound.post import EnteredPost
from authserver.outbound.refusal import FetchRefused
from authserver.outbound.signed_post import SignedPost, signature
from authserver.outbound.syslog import Collector, LocalCollector
from authserver.protocol.audit import Event
from authserver.protocol.audit_seal import Place, Recorded
from authserver.services.trail.formats import json_line
from authserver.services.trail.targets import FileTarget, NotTaken, SyslogTarget, WebhookTarget
from tests.outbound.authority import Authority

from .collectors import Hook, hook, syslog

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BATCH = [Recorded(Place(7, number), 1_700_000_000_000, Event(f"event.{number}", "system")) for number in (1, 2, 3)]
LINES = [json_line(recorded) for recorded in BATCH]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hooked(authority: Authority) -> Iterator[Hook]:
    with hook(authority.serving("127.0.0.1")) as found:
        yield found


def webhook(found: Hook, authority: Authority, seconds: float = 5.0) -> WebhookTarget:
    networks = {("127.0.0.1", found.port): (ip_network("127.0.0.1/32"),)}
    trust = trusting(str(authority.ca_file))
    return WebhookTarget(SignedPost(EnteredPost(found.url, networks, proxy="", trust=trust, seconds=seconds), SECRET))


def test_a_file_gets_a_line_for_each_event_and_is_its_owners_alone(tmp_path: Path):
    path = tmp_path / "audit.jsonl"
    target = FileTarget(str(path))
    target.take(BATCH[:1])
    target.take(BATCH[1:])
    assert path.read_text().splitlines() == LINES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_was_rotated_away_is_begun_anew(tmp_path: Path):
    path = tmp_path / "audit.jsonl"
    FileTarget(str(path)).take(BATCH[:1])
    path.rename(tmp_path / "audit.jsonl.1")
    FileTarget(str(path)).take(BATCH[1:])
    assert path.read_text().splitlines() == LINES[1:]


@pytest.mark.parametrize("broken", [LINES[1][:50], LINES[1][:3], LINES[1], LINES[1][:50] + "x" * 200_000])
def test_what_a_killed_process_left_of_a_line_is_taken_away(tmp_path: Path, broken: str):
    path = tmp_path / "audit.jsonl"
    path.write_text(f"{LINES[0]}\n{broken}")
    FileTarget(str(path)).take(BATCH[1:])
    assert path.read_text().splitlines() == LINES


@pytest.mark.parametrize("before", ["", "something of others\n"])
def test_what_others_left_unended_is_kept(tmp_path: Path, before: str):
    path = tmp_path / "audit.jsonl"
    path.write_text(f"{before}# no line end")
    FileTarget(str(path)).take(BATCH)
    assert path.read_text().splitlines() == [*before.splitlines(), "# no line end", *LINES]


def test_what_is_no_file_takes_nothing(tmp_path: Path):
    for path in (tmp_path, tmp_path / "missing" / "audit.jsonl", Path("/dev/full"), Path("/dev/null")):
        with pytest.raises(NotTaken, match=str(path)):
            FileTarget(str(path)).take(BATCH)


def test_a_webhook_is_posted_what_it_can_prove_the_origin_of(hooked: Hook, authority: Authority):
    webhook(hooked, authority).take(BATCH)
    [(headers, body)] = hooked.posts
    assert json.loads(body) == {"events": [json.loads(line) for line in LINES]}
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "7-1.7-3"
    signed = signature(SECRET, headers["webhook-id"], headers["webhook-timestamp"], body)
    assert headers["webhook-signature"] == signed
    assert signature("another secret of enough length", "7-1.7-3", headers["webhook-timestamp"], body) != signed


def test_signatures_are_those_of_standard_webhooks():
    """The example of the specification."""
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == expected


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500, 503])
def test_a_webhook_that_refuses_took_nothing(hooked: Hook, authority: Authority, status: int):
    hooked.status = status
    with pytest.raises(NotTaken, match=str(status)):
        webhook(hooked, authority).take(BATCH)


def test_a_webhook_that_nobody_vouches_for_gets_nothing(hooked: Hook, authority: Authority):
    networks = {("127.0.0.1", hooked.port): (ip_network("127.0.0.1/32"),)}
    target = WebhookTarget(SignedPost(EnteredPost(hooked.url, networks, proxy="", trust=trusting()), SECRET))
    with pytest.raises(NotTaken, match="certificate") as refused:
        target.take(BATCH)
    assert hooked.posts == []
    assert SECRET not in f"{refused.value}{target!r}{target}"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://10.0.0.1/x", "https://[::1]/x", "http://hook.example/"]
)
def test_a_webhook_in_a_private_network_has_to_be_chosen(url: str):
    with pytest.raises(FetchRefused):
        EnteredPost(url, {}, proxy="", trust=trusting())


def test_a_webhook_that_does_not_answer_holds_nobody_for_long(authority: Authority):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = webhook(Hook(port=silent.getsockname()[1]), authority, seconds=0.3)
        with pytest.raises(NotTaken, match="in time"):
            target.take(BATCH)


def test_a_collector_gets_counted_messages():
    with syslog() as found:
        SyslogTarget(Collector("127.0.0.1", found.port), "auth.example").take(BATCH)
        assert [message.partition(b" {")[2] for message in found.messages] == [line[1:].encode() for line in LINES]
        assert all(message.startswith(b"<110>1 2023-11-14T") for message in found.messages)


def test_a_collector_that_did_not_read_all_took_nothing():
    with syslog() as found:
        found.deaf = True
        with pytest.raises(NotTaken):
            SyslogTarget(Collector("127.0.0.1", found.port), "h").take(BATCH * 20_000)


def test_a_collector_that_is_away_took_nothing():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotTaken):
        SyslogTarget(Collector("127.0.0.1", port), "h").take(BATCH)


def test_a_collector_that_never_closes_took_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = SyslogTarget(Collector("127.0.0.1", silent.getsockname()[1], seconds=0.3), "h")
        with pytest.raises(NotTaken, match="in time"):
            target.take(BATCH)


def test_a_collector_of_datagrams_gets_a_message_each(short_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(short_path))
        SyslogTarget(LocalCollector(str(short_path)), "h").take(BATCH)
        assert all(line.encode() in listening.recv(65_536) for line in LINES)


def test_a_collector_of_a_unix_stream_gets_counted_messages(short_path: Path):
    with syslog(short_path) as found:
        SyslogTarget(LocalCollector(str(short_path)), "h").take(BATCH)
        assert len(found.messages) == 3


def test_a_unix_socket_that_is_away_took_nothing(short_path: Path):
    with pytest.raises(NotTaken, match="cannot be reached"):
        SyslogTarget(LocalCollector(str(short_path)), "h").take(BATCH)


def test_a_slow_collector_of_datagrams_holds_nobody_longer_than_one_deadline(short_path: Path):
    def read_slowly(listening: socket.socket, stop: threading.Event) -> None:
        with suppress(OSError):
            while not stop.wait(0.05):
                listening.recv(200_000)

    many = [BATCH[0]._replace(event=Event("large", "system", detail={"note": "x" * 100_000}))] * 60
    stop = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(short_path))
        threading.Thread(target=read_slowly, args=(listening, stop), daemon=True).start()
        with pytest.raises(NotTaken, match="in time"):
            SyslogTarget(LocalCollector(str(short_path), seconds=0.3), "h").take(many)
        stop.set()


def test_a_collector_that_drips_an_answer_holds_nobody_longer_than_one_deadline(short_path: Path):
    def drip(listening: socket.socket, stop: threading.Event) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            for _ in range(100):
                if not stop.wait(0.05):
                    connection.send(b".")

    stop = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(short_path))
        listening.listen()
        threading.Thread(target=drip, args=(listening, stop), daemon=True).start()
        with pytest.raises(NotTaken, match="in time"):
            SyslogTarget(LocalCollector(str(short_path), seconds=0.3), "h").take(BATCH)
        stop.set()
