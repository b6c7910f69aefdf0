"""A Redis, or a Valkey, of a test's own: on loopback, in memory alone."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import redis

START_SECONDS = 60
STOP_SECONDS = 30
PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")
LACKING = "neither redis-server nor valkey-server is installed"
"""Why there is none, where there is no `PROGRAM`."""


class RedisServer:
    """One at *port*, which forgets all when it ends."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert PROGRAM, LACKING
        command = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        with closing(redis.Redis(port=self.port)) as asked:
            while not _answers(asked):
                assert self._process.poll() is None, "Redis did not start"
                assert time.monotonic() < deadline, "Redis did not answer"
                time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None


def version() -> str:
    """Of the program, as it says."""
    assert PROGRAM, LACKING
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    return said.partition("v=")[2].partition(" ")[0]


@contextmanager
def served(port: int, folder: Path) -> Iterator[RedisServer]:
    """One that runs until the end of the block, and is killed then."""
    server = RedisServer(port, folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _answers(asked: "redis.Redis") -> bool:
    try:
        return bool(asked.ping())
    except redis.ConnectionError:
        return False
