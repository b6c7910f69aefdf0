"""Which test holds which requirement: the marks, the record of each run, and the table that joins them.

``docs/requirements.md`` states the requirements, a table row each, and ends with the list of those that this
release covers. A test names what it holds with ``@pytest.mark.requirement("AZ-1")``. Each run leaves its
outcomes in ``var/requirements/``, a file per kind of database; ``python -m tests.requirements`` prints the table
and exits 1 where a covered requirement is not held or a test names one that does not exist. What failed is said once
more at the end, for those who see only the last lines of a long run.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "requirements.md"
RECORDS = ROOT / "var" / "requirements"
COVERED_HEADING = "## Covered by this release"
PROPERTY = "requirement"
FAILURES = ".failures"
MOST_OF_FAILURE = 1500  # characters, its last ones
# A test is as bad as its worst phase; a requirement is held by a test that passes, if none fails.
OF_PHASES = ("passed", "xfailed", "skipped", "failed").index
OF_TESTS = ("skipped", "xfailed", "passed", "failed").index

# Requirement id → the test's node id → one of these outcomes.
Outcomes = dict[str, dict[str, str]]
# The kind of database → what its last run found.
Runs = Mapping[str, Outcomes]


@dataclass(frozen=True)
class Page:
    """What ``docs/requirements.md`` says: every id with its text, and the ids that this release covers."""

    texts: Mapping[str, str]
    covered: tuple[str, ...]

    @classmethod
    def parse(cls, markdown: str) -> "Page":
        tables, _, covered = markdown.partition(COVERED_HEADING)
        rows = re.findall(r"^\| ([A-Z]{2}-\d+) \| (.+) \| .+ \|$", tables, re.MULTILINE)
        return cls(dict(rows), tuple(re.findall(r"\b[A-Z]{2}-\d+\b", covered)))


def tag(item: pytest.Item) -> None:
    """Write the requirement ids of a test's marks on its reports, which travel between processes."""
    for mark in item.iter_markers("requirement"):
        item.user_properties.extend((PROPERTY, identifier) for identifier in mark.args)


@dataclass(eq=False)
class Recorder:
    """A pytest plugin that gathers the outcomes of a run, from all its workers, and writes them to ``file``.

    A complete run replaces what the file held; a run of chosen tests replaces what it said of those.
    """

    file: Path
    tests: dict[str, str] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failures[report.nodeid] = report.longreprtext[-MOST_OF_FAILURE:]
        outcome = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
        worst = max(self.tests.get(report.nodeid, "passed"), outcome, key=OF_PHASES)
        self.tests[report.nodeid] = worst
        if report.when != "teardown":
            return  # only a test that came to its end counts
        for name, identifier in report.user_properties:
            if name == PROPERTY:
                self.outcomes.setdefault(str(identifier), {})[report.nodeid] = worst

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        earlier = {} if _is_complete(session.config, exitstatus) else read(self.file)
        write(self.file, merge(earlier, self.outcomes, self.tests))
        told = "".join(f"---- {test}\n{said}\n" for test, said in self.failures.items())
        self.file.with_suffix(FAILURES).write_text(told)


def _is_complete(config: pytest.Config, exitstatus: int) -> bool:
    options = ("keyword", "markexpr", "lf", "deselect", "ignore", "ignore_glob")
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not any(config.getoption(name, None) for name in options)
        and exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    )


def merge(earlier: Outcomes, later: Outcomes, ran: Iterable[str]) -> Outcomes:
    """Return ``earlier`` with all that it said of the tests that ``ran`` replaced by ``later``."""
    fresh = set(ran)
    merged = {
        identifier: {test: outcome for test, outcome in outcomes.items() if test not in fresh}
        for identifier, outcomes in earlier.items()
    }
    for identifier, outcomes in later.items():
        merged.setdefault(identifier, {}).update(outcomes)
    return {identifier: outcomes for identifier, outcomes in sorted(merged.items()) if outcomes}


def read(file: Path) -> Outcomes:
    """Return the outcomes in ``file``, none if it does not exist."""
    outcomes: Outcomes = json.loads(file.read_text()) if file.exists() else {}
    return outcomes


def write(file: Path, outcomes: Outcomes) -> None:
    """Replace ``file`` in one step, so that nobody reads half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(outcomes, indent=1))
    draft.replace(file)


def verdict(outcomes: Iterable[str]) -> str:
    """Return what the ``outcomes`` of several tests say of the requirement that they share."""
    return max(outcomes, key=OF_TESTS, default="no test")


def _of(identifier: str, runs: Runs) -> list[str]:
    return [outcome for run in runs.values() for outcome in run.get(identifier, {}).values()]


def table(page: Page, runs: Runs) -> Iterator[str]:
    """Yield the lines id → result → tests, for what is covered or tested; a test's parameters share a line."""
    for identifier in page.texts:
        outcomes = _of(identifier, runs)
        if outcomes or identifier in page.covered:
            yield f"{identifier:<6} {verdict(outcomes)}"
        tests: dict[str, dict[str, list[str]]] = {}
        for name, run in runs.items():
            for test, outcome in run.get(identifier, {}).items():
                tests.setdefault(test.partition("[")[0], {}).setdefault(name, []).append(outcome)
        for test, found in sorted(tests.items()):
            results = (f"{name} {verdict(each)}" for name, each in found.items())
            yield f"       {test}  ({', '.join(results)})"


def faults(page: Page, runs: Runs) -> Iterator[str]:
    """Yield a line for each covered requirement that is not held, and for each id that is not stated."""
    for identifier in page.covered:
        result = verdict(_of(identifier, runs))
        if result != "passed":
            failed = sorted(
                {test for run in runs.values() for test, each in run.get(identifier, {}).items() if each == result}
            )
            yield " ".join((f"{identifier} is covered by this release, but: {result}", *failed))
    named = {identifier for run in runs.values() for identifier in run}
    for identifier in sorted((named | set(page.covered)) - set(page.texts)):
        yield f"{identifier} is named, but not stated in {PAGE.name}"


def main() -> int:
    """Print the table of the last runs; return 0 if every covered requirement is held, else 1."""
    page = Page.parse(PAGE.read_text())
    runs = {file.stem: read(file) for file in sorted(RECORDS.glob("*.json"))}
    found = list(faults(page, runs))
    print(*table(page, runs), "", sep="\n")
    print(f"{len(page.covered)} requirements are covered by this release; faults: {len(found)}", *found, sep="\n")
    print(*(file.read_text() for file in sorted(RECORDS.glob(f"*{FAILURES}"))), sep="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
