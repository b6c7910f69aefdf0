"""Tests name requirements, runs leave a record, and the table shows what is held and what is not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import PAGE, Page, faults, merge, table, verdict

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = """
from pathlib import Path
from tests import requirements

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(requirements.Recorder(Path("record.json")))

def pytest_collection_modifyitems(items):
    for item in items:
        requirements.tag(item)
"""
TESTS = """
import pytest

@pytest.mark.requirement("AZ-1", "AZ-2")
def test_passes(): pass

@pytest.mark.requirement("AZ-1")
def test_fails(): assert False

@pytest.fixture
def broken():
    yield
    raise RuntimeError

@pytest.mark.requirement("AZ-3")
def test_fails_at_the_end(broken): pass

@pytest.mark.requirement("AZ-4")
def test_skips(): pytest.skip("for a reason")

@pytest.mark.requirement("AZ-5")
@pytest.mark.xfail
def test_is_known_to_fail(): assert False
"""
SMALL_PAGE = Page({"AZ-1": "one", "AZ-2": "two", "AZ-3": "three"}, ("AZ-1", "AZ-2"))


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = inner\nmarkers = requirement(*ids): held\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "conftest.py").write_text(CONFTEST)
    (tmp_path / "inner" / "test_inner.py").write_text(TESTS)
    # A folder with a conftest of its own: pytest then tells other tests' plugins apart from it.
    (tmp_path / "inner" / "deeper").mkdir()
    (tmp_path / "inner" / "deeper" / "conftest.py").write_text("")
    (tmp_path / "inner" / "deeper" / "test_deeper.py").write_text("def test_deeper(): pass")
    return tmp_path


def record(project, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "xdist", f"--override-ini=pythonpath={ROOT}", *arguments]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=project, env=environment, capture_output=True, timeout=60, check=False)
    outcomes = json.loads((project / "record.json").read_text())
    return {identifier: sorted(tests.values()) for identifier, tests in outcomes.items()}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_records_the_worst_outcome_of_every_phase(project, workers):
    assert record(project, "-n", workers) == {
        "AZ-1": ["failed", "passed"],
        "AZ-2": ["passed"],
        "AZ-3": ["failed"],
        "AZ-4": ["skipped"],
        "AZ-5": ["xfailed"],
    }


def test_a_run_keeps_what_its_failures_said_and_the_next_run_what_its_own_did(project):
    record(project, "-n", "2")
    said = (project / "record.failures").read_text()
    assert said.index("test_fails") < said.index("assert False")
    assert "test_fails_at_the_end" in said
    record(project, "-k", "test_passes")
    assert (project / "record.failures").read_text() == ""


def test_a_run_of_chosen_tests_keeps_what_is_known_of_the_others_and_a_whole_run_does_not(project):
    whole = record(project)
    tests = project / "inner" / "test_inner.py"
    tests.write_text(tests.read_text().replace("test_fails(): assert False", "test_fails(): pass"))
    assert record(project, "-k", "test_fails") == whole | {"AZ-1": ["passed", "passed"]}
    tests.write_text(TESTS.partition("@pytest.fixture")[0])
    assert record(project).keys() == {"AZ-1", "AZ-2"}


def test_what_is_recorded_again_under_another_id_leaves_the_old_one():
    assert merge({"AZ-1": {"t": "passed"}}, {"AZ-2": {"t": "passed"}}, ["t"]) == {"AZ-2": {"t": "passed"}}


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "failed"], "failed"),
        (["passed", "skipped"], "passed"),
        (["skipped", "xfailed"], "xfailed"),
        ([], "no test"),
    ],
)
def test_a_requirement_is_held_by_a_test_that_passes_if_none_fails(outcomes, said):
    assert verdict(outcomes) == said


def test_the_table_names_each_test_once_with_its_results():
    runs = {
        "sqlite": {"AZ-1": {"t[1]": "passed", "t[2]": "failed"}},
        "postgresql": {"AZ-1": {"t[1]": "passed", "u": "passed"}},
    }
    assert list(table(SMALL_PAGE, runs)) == [
        "AZ-1   failed",
        "       t  (sqlite failed, postgresql passed)",
        "       u  (postgresql passed)",
        "AZ-2   no test",
    ]


def test_covered_requirements_without_a_passing_test_and_unknown_ids_are_faults():
    runs = {"sqlite": {"AZ-1": {"t": "skipped"}, "AZ-3": {"t": "failed"}, "ZZ-9": {"t": "passed"}}}
    assert list(faults(SMALL_PAGE, runs)) == [
        "AZ-1 is covered by this release, but: skipped t",
        "AZ-2 is covered by this release, but: no test",
        "ZZ-9 is named, but not stated in requirements.md",
    ]


def test_the_page_states_every_requirement_that_it_says_is_covered():
    markdown = PAGE.read_text()
    page = Page.parse(markdown)
    assert len(page.texts) == markdown.count("\n| ") - markdown.count("\n| id |")
    assert set(page.covered) <= set(page.texts)
    assert len(page.covered) == len(set(page.covered)) > 0
