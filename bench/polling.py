"""What it costs the server that a thousand guards poll it: connections with one question every other second each.

What a guard asks while nothing changes: for the summary of its resource's lists, with the ``ETag`` of before. The
figure is the processor time of all processes of the server, and of what stands before it, as a share of one core.
"""

import asyncio
import resource
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import jwt

from . import cpu, material
from .contestant import BenchError
from .database import database
from .fronts import Front, bare, granian, nginx
from .ours import Ours, authserver, environment_of
from .process import free_port
from .report import Share

RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
GUARDS = 1000
INTERVAL = 2.0  # seconds between two questions of a guard
RATE = GUARDS / INTERVAL
TOLERATED = 0.98  # of the rate: less says that the server, or this machine, cannot keep up
SETTLING = 3.0  # seconds in which all connections are made


def shares(pairs: int, seconds: int) -> list[Share]:
    """Measure each way to serve *pairs* times, in turn, for *seconds* each."""
    _allow_files()
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        postgresql = stack.enter_context(database(folder))
        ours = stack.enter_context(authserver(home, postgresql, RESOURCE))
        shipped = Front("gunicorn", ours.port, ours.roots)
        environment = environment_of(home, postgresql, ours.port)
        fronts = [
            shipped,
            stack.enter_context(bare(folder, environment)),
            stack.enter_context(granian(folder, environment, postgresql.pid)),
            stack.enter_context(nginx(folder, shipped, free_port())),
        ]
        path = _summary(ours)
        rounds = [[_share(front, path, seconds) for front in fronts] for _ in range(pairs)]
    return [Share(front.name, shares) for front, shares in zip(fronts, zip(*rounds, strict=True), strict=True)]


def _summary(ours: Ours) -> str:
    """The path of what a guard polls: the metadata's template, for the resource of an access token's status list."""
    [client_id] = material.register(ours, 1)
    token = material.tokens(ours, ours.codes(1, [client_id]))[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    metadata = httpx2.get(f"{ours.origin}/.well-known/oauth-authorization-server").json()
    tag = claims["status"]["status_list"]["uri"].split("/")[-2]
    return httpx2.URL(metadata["status_summary_uri_template"].replace("{resource}", tag)).path


def _share(front: Front, path: str, seconds: int) -> float:
    return asyncio.run(_polled(front, _request(front.port, path), seconds))


async def _polled(front: Front, request: bytes, seconds: int) -> float:
    polling = _Polling(front.port, request)
    guards = [asyncio.create_task(polling.guard(number)) for number in range(GUARDS)]
    try:
        await asyncio.sleep(SETTLING)
        spent, answered, began = _spent(front), polling.answered, time.monotonic()
        await asyncio.sleep(seconds)
        spent, answered, took = _spent(front) - spent, polling.answered - answered, time.monotonic() - began
    finally:
        for guard in guards:
            guard.cancel()
        ended = await asyncio.gather(*guards, return_exceptions=True)
    if wrong := [found for found in ended if not isinstance(found, asyncio.CancelledError)]:
        raise BenchError(f"{front.name}: {len(wrong)} of {GUARDS} guards were not answered: {wrong[0]!r}")
    if answered < TOLERATED * RATE * took:
        raise BenchError(f"{front.name}: {answered / took:.0f} answers a second instead of {RATE:.0f}")
    return spent / took


def _spent(front: Front) -> float:
    return sum(map(cpu.seconds, front.roots))


def _request(port: int, path: str) -> bytes:
    """What a guard sends when it knows what is at *path*."""
    etag = httpx2.get(f"http://127.0.0.1:{port}{path}").headers["ETag"]
    fields = ["Accept: application/json", "Accept-Encoding: gzip, deflate", "Connection: keep-alive"]
    lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{port}", *fields, f"If-None-Match: {etag}", "", ""]
    return "\r\n".join(lines).encode()


class _Polling:
    """Guards as the server sees them; ``answered`` counts."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._began = time.monotonic()
        self.answered = 0

    async def guard(self, number: int) -> None:
        """Ask for ever, at moments of this guard's own."""
        due = self._began + INTERVAL * number / GUARDS
        await asyncio.sleep(due - time.monotonic())
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while True:
                writer.write(self._request)
                await self._answer(reader)
                due += INTERVAL
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status == 200:  # a list was signed anew meanwhile; its length is what a guard reads
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await reader.readexactly(int(lengths[0].split(b":")[1]))
        elif status != 304:
            raise BenchError(f"a guard was answered by {status}")
        self.answered += 1


def _allow_files() -> None:
    """Let this process and those it starts have a connection for each guard."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
