"""What a call costs when two nodes serve one database: beside what it costs when one does.

Each node has a core of its own and clients of its own; PostgreSQL has whatever of both is free. One is loaded, then
both at the same time: what they share is the database, with its locks, sequences and log.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from . import cpu
from .generator import Counted, send
from .measures import MEASURES, RESOURCE, Bench, Measure
from .ours import COMMAND, Ours, deployed
from .pairs import WARM_UP_SECONDS, Pair, Point
from .process import answers, free_port, running
from .report import Row

CALLS = ("client", "refresh", "introspection")
ONE_WORKER = {"AUTHSERVER_WORKERS": "1"}


def beside(count: int, seconds: int) -> list[Row]:
    """Measure each call of two nodes at the same time, and of one alone, which is the ``peer`` of a pair.

    In *count* pairs of *seconds* for each point; who begins alternates.
    """
    with _nodes() as (nodes, folder):
        benches = [Bench.prepare(node, folder / node.name) for node in nodes]
        return [
            Row(measure.name, measure.title, tuple(_pairs(measure, benches, count, seconds)))
            for measure in MEASURES
            if measure.name in CALLS
        ]


@contextmanager
def _nodes() -> Iterator[tuple[list[Ours], Path]]:
    """Two nodes over one database, each on one core, and a folder."""
    port = free_port()
    with deployed(RESOURCE, ONE_WORKER) as (one, server, folder):
        environment = {**one.environment, "AUTHSERVER_BIND": f"127.0.0.1:{port}"}
        with running([COMMAND, "serve"], folder / "2.log", ready=lambda: answers(port), environment=environment) as two:
            roots = (two.pid, *server.roots)
            nodes = [replace(one, name="one"), replace(one, name="two", origin=f"http://127.0.0.1:{port}", roots=roots)]
            for node, core in zip(nodes, sorted(os.sched_getaffinity(0)), strict=False):
                _confine(node.roots[0], core)
            yield nodes, folder


def _confine(root: int, core: int) -> None:
    """Have all threads of process *root* and of those below it run on one *core*."""
    os.sched_setaffinity(root, {core})  # whoever is forked from now on has it of this one
    for process in cpu.tree(root):
        for task in Path(f"/proc/{process}/task").iterdir():
            with suppress(ProcessLookupError):  # it ended just now
                os.sched_setaffinity(int(task.name), {core})


def _pairs(measure: Measure, benches: Sequence[Bench], count: int, seconds: int) -> Iterator[Pair]:
    _point(measure, benches, WARM_UP_SECONDS)
    for number in range(count):
        points: list[Point] = []
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            points.insert(which, _point(measure, (benches, benches[:1])[which], seconds))
        yield Pair(*points)


def _point(measure: Measure, benches: Sequence[Bench], seconds: int) -> Point:
    """All of *benches* at the same time, by loads of their own."""
    loads = [measure.load(bench, 0) for bench in benches]
    servers = [bench.contestant.roots[0] for bench in benches]
    databases = benches[0].contestant.roots[1:]
    before = [sum(map(cpu.seconds, roots)) for roots in (servers, databases)]

    def one(which: int) -> Counted:
        return send(loads[which], benches[which].contestant.origin, seconds)

    with ThreadPoolExecutor(len(benches)) as pool:
        counted = list(pool.map(one, range(len(benches))))
    calls = sum(each.calls for each in counted)
    spent = [sum(map(cpu.seconds, roots)) - start for roots, start in zip((servers, databases), before, strict=True)]
    rate = sum(each.calls / each.seconds for each in counted)
    parts = tuple(1e6 * each / calls for each in spent)
    return Point(rate, parts, max(each.p50 for each in counted), max(each.p99 for each in counted))
