"""How soon a revocation is felt: from the moment in which a grant is revoked until a guarded server refuses its token.

Twenty guarded servers, in a few processes, refresh every other second, as they do by default, and are called all the
time. Grants are revoked one after the other, by the store's own verb, while ``authserver serve`` answers the guards.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.store.models import CodeRow
from authserver.store.stores import Stores

from . import guarded, material
from .contestant import BenchError, Code
from .database import database
from .fronts import Front, nginx
from .ours import authserver
from .process import free_port, running
from .report import Felt

RESOURCE = "http://localhost:9001/mcp"  # nobody listens there: the guards are called by their processes
PROCESSES, SERVERS = 4, 5  # in each
APART = (0.2, 1.2)  # seconds between two revocations: at any moment of the guards' cycles
PATIENCE = 20.0  # seconds after the last one


def felt(revocations: int) -> list[Felt]:
    """Revoke so many grants, and find out when each server felt it: without a cache between, and with one."""
    return [_felt("gunicorn", revocations), _felt("nginx with a cache, gunicorn", revocations)]


def _felt(by: str, revocations: int) -> Felt:
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        public = free_port() if by.startswith("nginx") else None
        postgresql = stack.enter_context(database(folder))
        ours = stack.enter_context(authserver(home, postgresql, RESOURCE, public=public))
        if public:
            stack.enter_context(nginx(folder, Front(by, ours.port, ours.roots), public))
        codes = ours.codes(revocations, material.register(ours, revocations))
        grants = [_grant(ours.stores, code) for code in codes]
        task = guarded.Task(ours.issuer, RESOURCE, SERVERS, material.tokens(ours, codes))
        logs = [folder / f"guards-{number}.log" for number in range(PROCESSES)]
        processes = [stack.enter_context(_guards(task, log)) for log in logs]
        revoked = [_revoked(ours.stores, grant) for grant in grants]
        _await(processes)
        refusals = [refusal for log in logs for refusal in _refusals(log)]
    if len(refusals) != revocations * PROCESSES * SERVERS:
        raise BenchError("not every server refused every token")
    return Felt(by, PROCESSES * SERVERS, tuple(at - revoked[number] for number, at in refusals))


def _grant(stores: Stores, code: Code) -> str:
    found = select(CodeRow.grant_id).where(CodeRow.digest == credential.digest(code.code))
    with stores.database.reading() as connection:
        return str(connection.execute(found).scalar_one())


@contextmanager
def _guards(task: guarded.Task, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    told = log.with_suffix(".json")
    told.write_text(json.dumps(asdict(task)))
    command = [sys.executable, "-m", "bench.guarded", str(told)]
    with running(command, log, ready=lambda: guarded.READY in log.read_text().splitlines()) as process:
        yield process


def _revoked(stores: Stores, grant: str) -> float:
    """Revoke *grant* at some moment; returns the moment just before."""
    time.sleep(random.uniform(*APART))  # noqa: S311
    before = time.monotonic()
    if not stores.grants.revoke(grant, Event("grant.revoked", "bench")):
        raise BenchError("a grant could not be revoked")
    return before


def _await(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise BenchError(f"a revocation was not felt within {PATIENCE:.0f} seconds") from None


def _refusals(log: Path) -> list[tuple[int, float]]:
    lines = log.read_text().splitlines()
    return [(number, at) for number, at in map(json.loads, lines[lines.index(guarded.READY) + 1 :])]
