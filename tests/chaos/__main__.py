"""``make chaos``: every fault under load, and what came of it, as a table in docs/reliability.md and as JSON."""

import argparse
import signal
import sys

from .faults import FAULTS
from .report import line, save
from .stage import stage
from .trial import Trial, trial


def main() -> int:
    """Try what was asked for, print and write the table; 1 if something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="What breaks, broken under load.")
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--only", type=lambda text: text.split(","), default=names, help=",".join(names))
    parser.add_argument("--page", action="store_true", help="write the table into docs/reliability.md")
    asked = parser.parse_args()
    if unknown := set(asked.only) - set(names):
        parser.error(f"--only knows {', '.join(names)}; not {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, _end)
    chosen = [fault for fault in FAULTS if fault.name in asked.only]
    trials: list[Trial] = []
    with stage() as running:
        for fault in chosen:
            trials += [trial(fault, running)]
            print(line(trials[-1]), flush=True)
            save(trials, into_page=asked.page)
    return int(any(each.wrong or each.slow() for each in trials))


def _end(*_signal: object) -> None:
    """End as by Ctrl-C, so that whatever was started ends too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
