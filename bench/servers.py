"""Which server serves it best: gunicorn's own threaded worker and granian, each beside `authserver serve`.

All have two workers of eight threads, over one database; those of gunicorn are pinned to a core each. What goes on
beside, such as sealing the trail, only `authserver serve` does, for the others too: its processor time, while they are
loaded, is counted as theirs.
"""

from dataclasses import replace
from functools import partial

from .fronts import Front, granian, threaded
from .measures import MEASURES, RESOURCE, Bench
from .ours import Ours, deployed
from .pairs import pairs
from .report import Row

CALLS = ("jwks", "client", "refresh")
THREADS = 8  # of each worker, as `authserver serve` has


def beside(count: int, seconds: int) -> list[Row]:
    """Measure each call under each server in *count* pairs of *seconds* a point; ``peer`` is `authserver serve`."""
    with deployed(RESOURCE) as (ours, server, folder):
        shipped = Bench.prepare(ours, folder / "shipped")
        rows: list[Row] = []
        for front in (threaded, partial(granian, threads=THREADS)):
            with front(folder, ours.environment, server.pid) as found:
                bench = replace(shipped, contestant=_behind(found, ours))
                for measure in (measure for measure in MEASURES if measure.name in CALLS):
                    measured = tuple(pairs(measure, bench, shipped, count=count, seconds=seconds))
                    rows.append(Row(measure.name, f"{measure.title}: {found.name}", measured))
        return rows


def _behind(front: Front, ours: Ours) -> Ours:
    """The deployment of *ours*, as *front* serves it."""
    return replace(ours, origin=f"http://127.0.0.1:{front.port}", roots=(front.roots[0], *ours.roots))
