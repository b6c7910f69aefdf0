"""PgBouncer in front of the tests' PostgreSQL, lending its few sessions out for a transaction at a time."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from tests.journeys.ports import free_port

START_SECONDS = 30
STOP_SECONDS = 10
PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
LACKING = "PgBouncer is not installed"
"""Why there is none, where there is no `PROGRAM`."""

SESSIONS = 3
"""Sessions for all clients: fewer than one process keeps connections, so that they go from hand to hand."""

CONFIGURATION = """
[databases]
* = host={sockets} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 500
log_connections = 0
log_disconnections = 0
server_login_retry = 1
"""


@contextmanager
def pgbouncer(url: str, sessions: int = SESSIONS) -> Iterator[str]:
    """Run a pooler in front of the server of the PostgreSQL database at *url*; gives its URL through the pooler."""
    direct = make_url(url)
    sockets, port = Path(str(direct.query["host"])), free_port()
    with TemporaryDirectory(prefix="pooler-") as folder:
        file = Path(folder, "pgbouncer.ini")
        file.write_text(CONFIGURATION.format(sockets=sockets, user=direct.username, port=port, sessions=sessions))
        owner = sockets.stat().st_uid  # PgBouncer refuses to run as root, and only the owner gets at the server
        for path in (folder, file):
            os.chown(path, owner, -1)
        assert PROGRAM, LACKING
        process = subprocess.Popen([PROGRAM, "--quiet", str(file)], user=owner if os.geteuid() == 0 else None)
        try:
            _await(process, port)
            pooled = direct.set(host="127.0.0.1", port=port).difference_update_query(["host"])
            yield pooled.render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "PgBouncer did not start"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return
