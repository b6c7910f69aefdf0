"""The result of a run: tables (in Markdown) for people, JSON for comparisons."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from .pairs import Pair, Point

FOLDER = Path("var/bench")


@dataclass(frozen=True, slots=True)
class Row:
    """One measure with all its pairs."""

    name: str
    title: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """One thing that a guard does, in CPU microseconds per call, pair by pair.

    ``peer`` is FastMCP's JWTVerifier, ``library`` PyJWT alone with the key in hand; empty where they have no match.
    """

    name: str
    ours: tuple[float, ...]
    peer: tuple[float, ...] = ()
    library: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """A way to serve guards that poll: the share of one core that it takes, point by point."""

    name: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Felt:
    """How many seconds after a revocation each guarded server refused the token for the first time."""

    name: str
    servers: int
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """How many seconds token calls took beside sign-ins, how many those took, and how often each was put off."""

    name: str
    seconds: tuple[float, ...]
    sign_ins: tuple[float, ...] = ()
    put_off: float = 0.0


@dataclass(frozen=True, slots=True)
class AtEase:
    """Calls at a share of the rate that there can be: both in calls per second, latencies in microseconds."""

    top: float
    rate: float
    p50: int
    p99: int

    @property
    def ratio(self) -> float:
        """How late the latest hundredth is beside the middle one."""
        return self.p99 / self.p50


@dataclass(frozen=True, slots=True)
class Eased:
    """One call at ease, in rounds: ours, and the floor in the same rounds."""

    name: str
    ours: Sequence[AtEase]
    floor: Sequence[AtEase]


def spread(values: Iterable[float], digits: int = 2) -> str:
    """The median of *values*, and in brackets the least and the greatest."""
    ordered = sorted(values)
    return f"{median(ordered):.{digits}f} ({ordered[0]:.{digits}f}-{ordered[-1]:.{digits}f})"


def of_servers(rows: Sequence[Row], peer: str = "") -> str:
    """The table of endpoints; *peer* is said where it is not oidc-provider."""
    ratios = (f"call, beside {peer}" if peer else "call", "rate / peer's", "CPU per call / peer's")
    head = (*ratios, "CPU us ours + database", "CPU us peer", "calls/s ours", "calls/s peer")
    return _table(head, [_of_server(row) for row in rows])


def of_guards(costs: Sequence[Cost]) -> str:
    """The table of the guard's costs; its ratios are the others' time over ours, so that more is better here too."""
    ratios = ("guard", "speed / JWTVerifier's", "speed / PyJWT's")
    head = (*ratios, "CPU us ours", "CPU us JWTVerifier", "CPU us PyJWT")
    return _table(head, [_of_guard(cost) for cost in costs])


def of_proofs(costs: Sequence[Cost]) -> str:
    """The table of clients' proofs by key; ``peer`` is the same call by a secret."""
    head = ("private_key_jwt", "CPU us over a secret", "CPU per call / by secret", "CPU us by key", "CPU us by secret")
    return _table(head, [_of_proof(cost) for cost in costs])


def of_documents(costs: Sequence[Cost]) -> str:
    """The table of clients by their document; ``peer`` is a registered client."""
    head = ("authorize finds", "CPU us over a registered one", "ratio", "CPU us", "CPU us of a registered one")
    return _table(head, [_of_proof(cost) for cost in costs])


def of_pages(costs: Sequence[Cost]) -> str:
    """The table of pages; ``peer`` is the whole request that the page answers."""
    head = ("consent page about", "CPU ms to render", "CPU ms of the request")

    def milliseconds(spent: Sequence[float]) -> str:
        return spread(time / 1000 for time in spent)

    return _table(head, [(cost.name, milliseconds(cost.ours), milliseconds(cost.peer)) for cost in costs])


def of_polling(shares: Sequence[Share], rate: float) -> str:
    """The table of what polling guards cost."""
    head = (f"guards ask {rate:.0f} times a second", "share of one core, %")
    return _table(head, [(share.name, spread((100 * part for part in share.shares), 1)) for share in shares])


def of_revocation(felt: Sequence[Felt]) -> str:
    """The table of how soon a revocation is felt."""
    head = ("revocation → first refusal", "refusals", "p50, s", "p99, s", "latest, s")
    return _table(head, list(map(_of_felt, felt)))


def of_sign_ins(found: Sequence[Beside]) -> str:
    """The table of token calls beside sign-ins."""
    head = ("refresh", "calls", "p50, ms", "p99, ms", "longest, ms", "sign-in p50, s", "p99, s", "put off")
    return _table(head, list(map(_of_beside, found)))


def of_latency(found: Sequence[Eased]) -> str:
    """The table of latencies with room to spare."""
    head = (
        "call",
        "p99 / p50",
        "the floor's",
        "p50, ms",
        "p99, ms",
        "the floor's p50, ms",
        "its p99, ms",
        "of the top rate",
        "calls/s",
    )
    return _table(head, list(map(_of_eased, found)))


def of_ways(rows: Sequence[Row]) -> str:
    """The table of other servers for our application, beside `authserver serve`."""
    head = (
        "call: server",
        "rate / `authserver serve`'s",
        "CPU per call / its",
        "calls/s",
        "calls/s of `authserver serve`",
    )
    return _table(head, list(map(_of_way, rows)))


def of_nodes(rows: Sequence[Row]) -> str:
    """The table of two nodes over one database, beside one."""
    head = ("call", "CPU per call of two nodes / of one", "their rate / of one", "CPU us of one", "calls/s of two")
    return _table(head, list(map(_of_nodes, rows)))


def save(facts: Mapping[str, str], measured: Mapping[str, Sequence[Any]]) -> Path:
    """Write all that was *measured* to a file of its own, and return its path."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    found = {"facts": dict(facts), **{name: [asdict(one) for one in rows] for name, rows in measured.items()}}
    file.write_text(json.dumps(found, indent=1) + "\n")
    return file


def _of_server(row: Row) -> tuple[str, ...]:
    ours, peer = [pair.ours for pair in row.pairs], [pair.peer for pair in row.pairs]
    return (
        row.title,
        spread(pair.rate for pair in row.pairs),
        spread(pair.cpu for pair in row.pairs),
        _cpu(ours),
        _cpu(peer),
        f"{median(point.rate for point in ours):.0f}",
        f"{median(point.rate for point in peer):.0f}",
    )


def _cpu(points: Sequence[Point]) -> str:
    parts = zip(*(point.parts for point in points), strict=True)
    return " + ".join(f"{median(part):.0f}" for part in parts)


def _of_guard(cost: Cost) -> tuple[str, ...]:
    others = (cost.peer, cost.library)
    ratios = [_ratio(cost.ours, found) for found in others]
    times = [f"{median(found):.1f}" if found else "-" for found in (cost.ours, *others)]
    return cost.name, *ratios, *times


def _ratio(ours: tuple[float, ...], others: tuple[float, ...]) -> str:
    return spread(other / our for our, other in zip(ours, others, strict=True)) if others else "-"


def _of_proof(cost: Cost) -> tuple[str, ...]:
    both = list(zip(cost.ours, cost.peer, strict=True))
    over, ratio = spread((key - secret for key, secret in both), 0), spread(key / secret for key, secret in both)
    return cost.name, over, ratio, f"{median(cost.ours):.0f}", f"{median(cost.peer):.0f}"


def _of_felt(felt: Felt) -> tuple[str, ...]:
    ordered = sorted(felt.seconds)
    times = (median(ordered), quantiles(ordered, n=100)[98], ordered[-1])
    return f"{felt.servers} servers, {felt.name}", str(len(ordered)), *(f"{found:.2f}" for found in times)


def _of_beside(found: Beside) -> tuple[str, ...]:
    ordered = sorted(1000 * taken for taken in found.seconds)
    times = (median(ordered), quantiles(ordered, n=100)[98], ordered[-1])
    waits = (median(found.sign_ins), quantiles(found.sign_ins, n=100)[98]) if found.sign_ins else ()
    told = [f"{taken:.1f}" for taken in (*times, *waits)]
    return found.name, str(len(ordered)), *told, *(["", ""] if not waits else []), f"{found.put_off:.1f}"


def _of_eased(found: Eased) -> tuple[str, ...]:
    ratios = [spread((one.ratio for one in of), 1) for of in (found.ours, found.floor)]
    times = [
        spread((time(one) / 1000 for one in of), 1)
        for of in (found.ours, found.floor)
        for time in (attrgetter("p50"), attrgetter("p99"))
    ]
    share = spread(one.rate / one.top for one in found.ours)
    return found.name, *ratios, *times, share, f"{median(one.rate for one in found.ours):.0f}"


def _of_way(row: Row) -> tuple[str, ...]:
    rates = [f"{median(rates):.0f}" for rates in zip(*((p.ours.rate, p.peer.rate) for p in row.pairs), strict=True)]
    return row.title, spread(pair.rate for pair in row.pairs), spread(pair.cpu for pair in row.pairs), *rates


def _of_nodes(row: Row) -> tuple[str, ...]:
    ratios = spread(pair.cpu for pair in row.pairs), spread(pair.rate for pair in row.pairs)
    alone = median(pair.peer.cpu for pair in row.pairs)
    return row.title, *ratios, f"{alone:.0f}", f"{median(pair.ours.rate for pair in row.pairs):.0f}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = (head, tuple("-" * width for width in widths), *rows)
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)
