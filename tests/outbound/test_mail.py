"""Mail: taken by a real server, or refused with a reason; and never more than one mail to one person."""

import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from authserver.outbound.mail import Folder, Mail, MailRefused, Relay, proving
from tests.outbound.authority import Authority

from .postbox import NAME, PASSWORD, Postbox, postbox

SENDER = "authserver@auth.example"
MAIL = Mail("ann@admin.example", "[auth.example] a test", "It works: grüße.\n", "msg_1")
NASTY = "x\r\nBcc: all@evil.example\r\n\r\n\x1b[31m\u202eevil\0"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def box(authority: Authority) -> Iterator[Postbox]:
    with postbox(authority.serving("127.0.0.1")) as found:
        yield found


def relay(box: Postbox, authority: Authority | None = None, **changes: object) -> Relay:
    told = {"security": "starttls", "username": "", "password": "", "seconds": 5.0, **changes}
    trust = proving(str(authority.ca_file) if authority else "")
    return Relay(host="127.0.0.1", port=box.port, sender=SENDER, trust=trust, **told)  # type: ignore[arg-type]


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def test_a_mail_arrives_encrypted_with_what_marks_it_as_a_machines(box: Postbox, authority: Authority):
    relay(box, authority).send(MAIL)
    [(receivers, mail)] = box.mails
    assert receivers == ["ann@admin.example"]
    assert box.encrypted == [True]
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "ann@admin.example", "[auth.example] a test")
    assert mail["Message-ID"] == "<msg_1@auth.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert text_of(mail) == "It works: grüße.\n"


@pytest.mark.parametrize("security", ["tls", "none"])
def test_it_goes_by_tls_from_the_beginning_or_by_none_to_a_relay_beside(authority: Authority, security: str):
    context = authority.serving("127.0.0.1") if security == "tls" else None
    with postbox(context, implicit=security == "tls") as found:
        relay(found, authority, security=security).send(MAIL)
        assert len(found.mails) == 1


def test_whoever_asks_for_a_password_gets_it_encrypted_only(authority: Authority):
    with postbox(authority.serving("127.0.0.1"), auth=True) as found:
        relay(found, authority, username=NAME, password=PASSWORD).send(MAIL)
        assert len(found.mails) == 1
        with pytest.raises(MailRefused, match="535") as refused:
            relay(found, authority, username=NAME, password="wrong one").send(MAIL)
    assert "wrong one" not in str(refused.value)
    assert PASSWORD not in repr(relay(found, authority, password=PASSWORD))


def test_a_server_that_offers_no_encryption_or_proves_nothing_gets_nothing(box: Postbox):
    with pytest.raises(MailRefused, match="certificate"):
        relay(box).send(MAIL)
    with postbox() as plain_one:
        with pytest.raises(MailRefused, match="does not offer"):
            relay(plain_one).send(MAIL)
        assert plain_one.mails == []
    assert box.mails == []


def test_nothing_that_strangers_wrote_becomes_a_header_or_a_receiver(box: Postbox, authority: Authority):
    relay(box, authority).send(Mail("ann@admin.example", NASTY, f"{NASTY}\n.\nMAIL FROM:<x@evil.example>\n", "msg_2"))
    [(receivers, mail)] = box.mails
    assert receivers == ["ann@admin.example"]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "x Bcc: all@evil.example [31m evil"
    assert "MAIL FROM" in text_of(mail)


def test_a_receiver_or_a_mail_that_is_refused_is_told_with_the_servers_words(box: Postbox, authority: Authority):
    box.refused = {"ann@admin.example"}
    with pytest.raises(MailRefused, match=r"for this address: 550 nobody \[2J of that name"):
        relay(box, authority).send(MAIL)
    box.refused, box.answer = set(), "451 later"
    with pytest.raises(MailRefused, match="451: later"):
        relay(box, authority).send(MAIL)


def test_a_server_that_is_not_there_or_dribbles_ends_in_time(authority: Authority):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Postbox(port=listening.getsockname()[1])
        threading.Thread(target=_dribble, args=(listening,), daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(MailRefused, match="took too long"):
            relay(found, authority, seconds=0.5).send(MAIL)
        assert time.monotonic() - begun < 5
    with pytest.raises(MailRefused, match="refused"):
        relay(found, authority).send(MAIL)


def test_a_server_that_dribbles_its_handshake_holds_nobody_either(authority: Authority):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Postbox(port=listening.getsockname()[1])
        threading.Thread(target=_dribble, args=(listening, b"\x16\x03\x03\x40\x00"), daemon=True).start()
        with pytest.raises(MailRefused, match="in time"):
            relay(found, authority, security="tls", seconds=0.5).send(MAIL)


def _dribble(listening: socket.socket, first: bytes = b"") -> None:
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        connection.sendall(first)
        while True:
            connection.sendall(b"2")
            connection.recv(0)
            threading.Event().wait(0.02)


def test_a_folder_gets_whole_files_that_are_its_owners_alone(tmp_path: Path):
    folder = Folder(tmp_path / "mail", SENDER)
    folder.send(MAIL)
    folder.send(MAIL)
    files = list((tmp_path / "mail").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    mail = message_from_bytes(files[0].read_bytes(), policy=default)
    assert text_of(mail) == "It works: grüße.\n"
    (tmp_path / "mail").rename(tmp_path / "other")
    (tmp_path / "mail").write_text("in its place")
    with pytest.raises(MailRefused, match="exists"):
        folder.send(MAIL)
