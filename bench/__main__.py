"""``make bench``, or ``python -m bench --only refresh --seconds 2 --pairs 3`` for a short look."""

import argparse
import signal
import sys

from . import consent, documents, guard, peers, polling, proofs, report, revocation, sign_ins
from .contestant import BenchError
from .facts import facts, others, take_two_cores
from .measures import MEASURES

TOOLKIT = "toolkit"
BETTER_AUTH = "better-auth"
GUARD = "guard"
PROOFS = "proofs"
DOCUMENTS = "documents"
CONSENT = "consent"
POLLING = "polling"
REVOCATION = "revocation"
SIGN_INS = "sign-ins"


def main() -> int:
    """Measure what was asked for, print the tables, write the figures down."""
    asked = _arguments()
    chosen = [measure for measure in MEASURES if measure.name in asked.only]
    take_two_cores()
    busy = {"load before": others()}
    signal.signal(signal.SIGTERM, _end)
    try:
        rows = peers.beside_oidc_provider(chosen, asked.pairs, asked.seconds) if chosen else []
        toolkit = peers.beside_toolkit(asked.pairs, asked.seconds) if TOOLKIT in asked.only else []
        better = peers.beside_better_auth(asked.pairs, asked.seconds) if BETTER_AUTH in asked.only else []
        costs = guard.costs(asked.pairs) if GUARD in asked.only else []
        kept = documents.costs(asked.pairs) if DOCUMENTS in asked.only else []
        pages = consent.costs(asked.pairs) if CONSENT in asked.only else []
        proven = proofs.costs(asked.pairs) if PROOFS in asked.only else []
        shares = polling.shares(asked.pairs, asked.seconds) if POLLING in asked.only else []
        beside = sign_ins.beside(4 * asked.seconds) if SIGN_INS in asked.only else []
        felt = revocation.felt(2 * asked.pairs) if REVOCATION in asked.only else []
    except BenchError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    known = facts() | busy
    tables = [
        report.of_servers(rows) if rows else "",
        report.of_servers(toolkit, "django-oauth-toolkit") if toolkit else "",
        report.of_servers(better, "better-auth, both on SQLite") if better else "",
        report.of_guards(costs) if costs else "",
        report.of_proofs(proven) if proven else "",
        report.of_documents(kept) if kept else "",
        report.of_pages(pages) if pages else "",
        report.of_polling(shares, polling.RATE) if shares else "",
        report.of_revocation(felt) if felt else "",
        report.of_sign_ins(beside) if beside else "",
    ]
    print(*(f"{name}: {value}" for name, value in known.items()), "", sep="\n")
    print("\n\n".join(filter(None, tables)))
    beside_others = {"toolkit": toolkit, "better_auth": better}
    costs_of = {"guard": costs, "proofs": proven, "documents": kept, "consent": pages}
    written = report.save(known, rows, **beside_others, **costs_of, polling=shares, revocation=felt, sign_ins=beside)
    print(f"\nmedian of {asked.pairs} pairs (least-greatest); written to {written}")
    expected = len(chosen) + 2 * (TOOLKIT in asked.only) + (BETTER_AUTH in asked.only)
    return int(len(rows) + len(toolkit) + len(better) < expected)


def _end(*_signal: object) -> None:
    """End as by Ctrl-C, so that whatever was started ends too."""
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    parts = (TOOLKIT, BETTER_AUTH, GUARD, PROOFS, DOCUMENTS, CONSENT, POLLING, REVOCATION, SIGN_INS)
    names = [*(measure.name for measure in MEASURES), *parts]
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
