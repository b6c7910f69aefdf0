"""``make bench``, or ``python -m bench --only refresh --seconds 2 --pairs 3`` for a short look."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import (
    consent,
    documents,
    guard,
    latency,
    nodes,
    peers,
    polling,
    proofs,
    report,
    revocation,
    servers,
    sign_ins,
)
from .contestant import BenchError
from .facts import facts, others, take_two_cores
from .measures import MEASURES, Measure

Found = Sequence[Any]
Asked = argparse.Namespace


@dataclass(frozen=True, slots=True)
class Part:
    """What is measured apart from the calls beside oidc-provider; its table has so many ``rows`` at least."""

    measure: Callable[[Asked], Found]
    table: Callable[[Found], str]
    rows: int = 1


PARTS = {
    "toolkit": Part(
        lambda asked: peers.beside_toolkit(asked.pairs, asked.seconds),
        lambda found: report.of_servers(found, "django-oauth-toolkit"),
        rows=2,
    ),
    "better-auth": Part(
        lambda asked: peers.beside_better_auth(asked.pairs, asked.seconds),
        lambda found: report.of_servers(found, "better-auth, both on SQLite"),
    ),
    "floor": Part(
        lambda asked: peers.beside_floor(asked.pairs, asked.seconds),
        lambda found: report.of_servers(found, "its floor"),
        rows=len(peers.ON_THE_FLOOR),
    ),
    "guard": Part(lambda asked: guard.costs(asked.pairs), report.of_guards),
    "documents": Part(lambda asked: documents.costs(asked.pairs), report.of_documents),
    "consent": Part(lambda asked: consent.costs(asked.pairs), report.of_pages),
    "proofs": Part(lambda asked: proofs.costs(asked.pairs), report.of_proofs),
    "polling": Part(
        lambda asked: polling.shares(asked.pairs, asked.seconds), lambda found: report.of_polling(found, polling.RATE)
    ),
    "sign-ins": Part(lambda asked: sign_ins.beside(4 * asked.seconds), report.of_sign_ins),
    "latency": Part(lambda asked: latency.eased(asked.pairs, asked.seconds), report.of_latency, len(latency.CALLS)),
    "nodes": Part(lambda asked: nodes.beside(asked.pairs, asked.seconds), report.of_nodes, len(nodes.CALLS)),
    "ways": Part(
        lambda asked: servers.beside(asked.pairs, asked.seconds),
        report.of_ways,
        2 * len(servers.CALLS),
    ),
    "revocation": Part(lambda asked: revocation.felt(2 * asked.pairs), report.of_revocation),
}


def main() -> int:
    """Measure what was asked for, print the tables, write the figures down."""
    asked = _arguments()
    chosen = [measure for measure in MEASURES if measure.name in asked.only]
    parts = {name: part for name, part in PARTS.items() if name in asked.only}
    if chosen:
        parts = {"servers": Part(lambda asked: _beside(chosen, asked), report.of_servers, len(chosen)), **parts}
    take_two_cores()
    busy = {"load before": others()}
    signal.signal(signal.SIGTERM, _end)
    found: dict[str, Found] = {}
    try:
        for name, part in parts.items():
            try:
                found[name] = part.measure(asked)
            except BenchError as wrong:  # the others are as good without it
                print(f"{name} is thrown away: {wrong}", file=sys.stderr)
    except KeyboardInterrupt:
        print("ended early; this was measured until then", file=sys.stderr)
    known = facts() | busy
    _tell(known, [parts[name].table(rows) for name, rows in found.items() if rows])
    print(f"\nmedian of {asked.pairs} pairs (least-greatest); written to {report.save(known, found)}")
    return int(any(len(found.get(name, ())) < part.rows for name, part in parts.items()))


def _beside(chosen: Sequence[Measure], asked: Asked) -> Found:
    return peers.beside_oidc_provider(chosen, asked.pairs, asked.seconds)


def _tell(known: Mapping[str, str], tables: Sequence[str]) -> None:
    print(*(f"{name}: {value}" for name, value in known.items()), "", sep="\n")
    print("\n\n".join(tables))


def _end(*_signal: object) -> None:
    """End as by Ctrl-C, so that whatever was started ends too."""
    raise KeyboardInterrupt


def _arguments() -> Asked:
    names = [*(measure.name for measure in MEASURES), *PARTS]
    parser = argparse.ArgumentParser(prog="python -m bench", description="This server beside its peers.")
    parser.add_argument("--seconds", type=int, default=5, help="of each point")
    parser.add_argument("--pairs", type=int, default=10, help="of points, for each measure")
    parser.add_argument("--only", type=lambda text: text.split(","), default=names, help=",".join(names))
    found = parser.parse_args()
    if unknown := set(found.only) - set(names):
        parser.error(f"--only knows {', '.join(names)}; not {', '.join(sorted(unknown))}")
    return found


if __name__ == "__main__":
    sys.exit(main())
