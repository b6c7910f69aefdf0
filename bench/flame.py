"""``make flame``: in which functions a worker spends its time under a call's load, as a picture.

py-spy looks from outside, so many times a second, at the thread that holds the interpreter. What is done in C meanwhile
is its caller's. It may look where ptrace is allowed: as root, or with ``kernel.yama.ptrace_scope`` 0.
"""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import cpu
from .contestant import BenchError
from .facts import take_two_cores
from .generator import send
from .measures import MEASURES, RESOURCE, Bench, Measure
from .ours import Ours, deployed

SPY = Path(sys.executable).with_name("py-spy")
PICTURES = Path("docs/images")
TIMES = 200  # a second


def main() -> int:
    """Load the server, watch one of its workers, write the picture; 1 if it could not be."""
    asked = _arguments()
    take_two_cores()
    measure = next(measure for measure in MEASURES if measure.name == asked.call)
    picture = PICTURES / f"flame-{asked.call}.svg"
    try:
        with deployed(RESOURCE) as (ours, _, folder):
            _watched(ours, Bench.prepare(ours, folder / "ours"), measure, asked.seconds, picture)
    except BenchError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    print(picture)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.flame", description="Where the time of a call goes.")
    parser.add_argument("--call", choices=[measure.name for measure in MEASURES], default="refresh")
    parser.add_argument("--seconds", type=int, default=20)
    return parser.parse_args()


def _watched(ours: Ours, bench: Bench, measure: Measure, seconds: int, picture: Path) -> None:
    warm = send(measure.load(bench, 10_000), ours.origin, 2)
    load = measure.load(bench, int(2 * seconds * warm.calls / warm.seconds))
    worker = cpu.tree(ours.roots[0])[-1]
    command = [str(SPY), "record", f"--pid={worker}", f"--duration={seconds}", f"--rate={TIMES}", "--function", "--gil"]
    drawn = ["--format", "flamegraph", "--output", str(picture)]
    with ThreadPoolExecutor(1) as pool:
        loaded = pool.submit(send, load, ours.origin, seconds + 2)
        found = subprocess.run([*command, *drawn], capture_output=True, text=True, check=False)
        loaded.result()
    if found.returncode:
        raise BenchError(f"py-spy failed: {found.stderr[-500:]}")
    # It would have its command for a title.
    drawing = re.sub(
        r'(<text id="title"[^>]*>)[^<]*', rf"\g<1>A worker under load: {measure.title}", picture.read_text()
    )
    picture.write_text(drawing)


if __name__ == "__main__":
    sys.exit(main())
