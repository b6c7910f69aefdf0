"""A node that is told to end answers whoever has connected to it."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.conformance.site import create_site
from tests.journeys.ports import free_port

from .nodes import Node
from .postgres import children

WAITING = 8
REQUEST = b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def node(tmp_path: Path, fresh_database_url: str):
    port = free_port()
    issuer = f"http://localhost:{port}"
    create_site(fresh_database_url, tmp_path, issuer=issuer).deployment.stores.database.close()
    given = {"HOME": str(tmp_path), "DATABASE_URL": fresh_database_url, "ISSUER": issuer, "WORKERS": "1"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")}
    made = Node(
        port, {**environment, **{f"AUTHSERVER_{name}": value for name, value in given.items()}}, tmp_path / "log"
    )
    made.start()
    yield made
    made.kill()


def answered(connection: socket.socket) -> bytes:
    with connection, connection.makefile("rb") as answer:
        return answer.readline()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the worker of a node in /proc")
def test_who_had_connected_before_the_end_is_answered(node: Node):
    (worker,) = children(node.pid)
    os.kill(worker, signal.SIGSTOP)  # so that all of them wait to be accepted when the end comes
    waiting = [socket.create_connection(("127.0.0.1", node.port), 30) for _ in range(WAITING)]
    for connection in waiting:
        connection.sendall(REQUEST)
    os.kill(node.pid, signal.SIGTERM)
    os.kill(worker, signal.SIGTERM)
    os.kill(worker, signal.SIGCONT)
    assert [answered(connection) for connection in waiting] == [b"HTTP/1.1 200 OK\r\n"] * WAITING
    assert node.ended() == 0
