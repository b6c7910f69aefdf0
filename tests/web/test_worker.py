"""gunicorn's worker as it ships, over real connections: it answers some itself, and threads answer others (TK-10)."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authserver.keys.numbering import tag
from authserver.services.status_lists import LOOK_SECONDS
from tests.browser.scene import Scene
from tests.conformance.site import NOTES, create_site
from tests.database import Databases
from tests.journeys.ports import free_port

from .wire import answered, calling, connection, head, running

SUMMARY = f"/status/{tag(NOTES.identifier)}"

__all__ = ["connection", "running"]


@pytest.fixture
def etag(running: Scene) -> str:
    return httpx2.get(running.issuer + SUMMARY).headers["ETag"]


def asking(etag: str, path: str = SUMMARY, **more: str) -> bytes:
    fields = {"Host": "localhost", "Accept": "*/*", "If-None-Match": etag, **more}
    return "".join(
        (f"GET {path} HTTP/1.1\r\n", *(f"{name}: {each}\r\n" for name, each in fields.items()), "\r\n")
    ).encode()


def by_itself(answer: bytes) -> bool:
    """Whether the worker gave it: gunicorn names itself in all others."""
    return answer.startswith(b"HTTP/1.1 304 ") and b"Server: gunicorn" not in answer


def answers(connection: socket.socket, request: bytes, wanted: Callable[[bytes], bool]) -> None:
    """Send *request* until an answer is as *wanted*: the first of each half second goes the whole way."""
    for _ in range(int(1000 * LOOK_SECONDS)):
        connection.sendall(request)
        if wanted(head(connection)):
            return
    raise AssertionError("no answer was as wanted")


@pytest.mark.requirement("TK-10")
def test_a_connection_is_answered_by_worker_and_by_threads_in_turn(connection: socket.socket, etag: str) -> None:
    for _ in range(3):
        answers(connection, asking(etag), by_itself)
        connection.sendall(asking(etag, path="/jwks"))
        length = int(head(connection).lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert len(connection.recv(length, socket.MSG_WAITALL)) == length


@pytest.mark.requirement("TK-10")
def test_two_requests_in_one_go_and_one_in_two_are_answered(connection: socket.socket, etag: str) -> None:
    answers(connection, asking(etag), by_itself)
    connection.sendall(asking(etag) * 3)
    assert all(head(connection).startswith(b"HTTP/1.1 304 ") for _ in range(3))
    request = asking(etag)
    connection.sendall(request[:20])
    connection.sendall(request[20:])
    assert head(connection).startswith(b"HTTP/1.1 304 ")


@pytest.mark.requirement("TK-10")
def test_who_wants_to_close_is_let_go(connection: socket.socket, etag: str) -> None:
    answers(connection, asking(etag), by_itself)
    connection.sendall(asking(etag, Connection="close"))
    assert b"\r\nConnection: close\r\n" in head(connection)
    assert connection.recv(1) == b""


@pytest.mark.requirement("TK-10")
def test_who_goes_away_in_the_middle_hurts_nobody(running: Scene, etag: str) -> None:
    port = int(running.issuer.rpartition(":")[2])
    for part in (b"", b"GET ", asking(etag)):
        with socket.create_connection(("localhost", port), timeout=10) as gone:
            answers(gone, asking(etag), by_itself)
            gone.sendall(part)
    assert httpx2.get(running.issuer + SUMMARY, headers={"If-None-Match": etag}).status_code == 304


def test_by_a_unix_socket_calls_are_answered_as_often_as_they_come(site_home: Path, databases: Databases) -> None:
    """Who comes that way has no address, so gunicorn's own way is theirs."""
    path = site_home / "s"
    with node(site_home, databases, f"unix:{path}"), socket.socket(socket.AF_UNIX) as one:
        one.settimeout(10)
        until_connected(one, str(path))
        for _ in range(5):
            one.sendall(calling())
            assert answered(one)[0].startswith(b"HTTP/1.1 401 ")


def test_a_worker_that_is_told_to_end_while_it_begins_ends_no_other(site_home: Path, databases: Databases) -> None:
    path = site_home / "s"
    with node(site_home, databases, f"unix:{path}") as arbiter, socket.socket(socket.AF_UNIX) as one:
        os.kill(first_child(arbiter), signal.SIGTERM)
        one.settimeout(60)
        until_connected(one, str(path))
        one.sendall(calling())
        assert answered(one)[0].startswith(b"HTTP/1.1 401 ")
        assert arbiter.poll() is None


def first_child(process: "subprocess.Popen[bytes]") -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        if found := children.read_text("ascii").split():
            time.sleep(0.1)  # it has got as far as to heed signals, and takes much longer to load
            return int(found[0])
        time.sleep(0.01)
    raise AssertionError("the server did not start")


def test_tls_by_gunicorn_itself_is_left_to_it(site_home: Path, databases: Databases) -> None:
    port, certificate = free_port(), certificate_in(site_home)
    given = ["gunicorn", "-c", "config/gunicorn.py", "--certfile", certificate, "--keyfile", certificate, "wsgi:app"]
    trusting = ssl.create_default_context(cafile=certificate)
    with node(site_home, databases, f"127.0.0.1:{port}", given), httpx2.Client(verify=trusting, timeout=60) as http:
        with socket.socket() as one:
            until_connected(one, ("127.0.0.1", port))
        for connection in ("keep-alive", "keep-alive", "close"):
            found = http.get(f"https://localhost:{port}/jwks", headers={"Connection": connection})
            assert (found.status_code, found.headers["Connection"]) == (200, connection)


def certificate_in(home: Path) -> str:
    """A file with a key and a certificate for localhost."""
    key, path = ec.generate_private_key(ec.SECP256R1()), home / "tls.pem"
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(plain + made.public_bytes(Encoding.PEM))
    return str(path)


@contextmanager
def node(
    home: Path, databases: Databases, bind: str, command: Sequence[str] = ("authserver", "serve"), workers: int = 1
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server of its own by *command*, which listens at *bind*."""
    url = databases.create()
    create_site(url, home, issuer="http://localhost:9000").deployment.stores.database.close()
    own = {
        "HOME": str(home),
        "DATABASE_URL": url,
        "ISSUER": "http://localhost:9000",
        "BIND": bind,
        "WORKERS": str(workers),
    }
    environment = {**os.environ, **{f"AUTHSERVER_{name}": value for name, value in own.items()}}
    process = subprocess.Popen([str(Path(sys.executable).with_name(command[0])), *command[1:]], env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)
        databases.drop(url)


def until_connected(one: socket.socket, address: str | tuple[str, int]) -> None:
    for _ in range(600):
        if one.connect_ex(address) == 0:
            return
        time.sleep(0.1)
    raise AssertionError("nobody listens there")


@pytest.fixture
def site_home() -> Iterator[Path]:
    """A short path: that of a Unix socket has about a hundred bytes."""
    with TemporaryDirectory(prefix="unix-") as name:
        yield Path(name)
