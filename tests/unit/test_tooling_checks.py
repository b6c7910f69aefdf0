"""The project's own checks find what they are for, and its pins can be installed from any index."""

import re
import socket
import subprocess
from pathlib import Path

import pytest
from jinja2 import TemplateSyntaxError

from tools import system_needs
from tools.dead_code import names_in_templates
from tools.dead_links import dead_links
from tools.file_length import LIMIT, too_long
from tools.owned_files import owned_files

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_over_the_limit_is_found_and_one_at_the_limit_is_not(tmp_path):
    (tmp_path / "long.py").write_text("x\n" * (LIMIT + 1))
    (tmp_path / "fine.css").write_text("x\n" * LIMIT)
    (tmp_path / "notes.md").write_text("x\n" * (LIMIT + 1))
    assert list(too_long(tmp_path)) == [f"long.py: {LIMIT + 1} lines, {LIMIT} at most"]


def test_what_others_wrote_is_not_measured(tmp_path):
    for folder in (".venv", "node_modules", "static/vendor"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "long.js").write_text("x\n" * (LIMIT + 1))
    assert list(too_long(tmp_path)) == []


def test_links_to_missing_files_and_headings_are_found(tmp_path):
    (tmp_path / "other.md").write_text("# The `one` heading, here\n")
    (tmp_path / "page.md").write_text(
        "# Top\n[a](other.md) [b](other.md#the-one-heading-here) [c](#top) [d](https://example.com/x)\n"
        "[e](missing.md) [f](other.md#missing) [g](#missing)\n```\n[h](in-code.md)\n```\n"
    )
    assert list(dead_links(tmp_path)) == [
        "page.md: missing.md leads nowhere",
        "page.md: other.md#missing leads nowhere",
        "page.md: #missing leads nowhere",
    ]


def test_names_that_templates_read_are_used_and_a_broken_template_is_found(tmp_path):
    (tmp_path / "page.html").write_text("{% for row in page.rows %}{{ row.title|upper }}{% endfor %}")
    assert set(names_in_templates(tmp_path)) == {"rows", "title"}
    (tmp_path / "broken.html").write_text("{% if %}")
    with pytest.raises(TemplateSyntaxError):
        list(names_in_templates(tmp_path))


def test_constraints_are_exact_versions_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins == sorted(pins)
    exact = re.compile(r"[a-z0-9-]+==[\w.!+]+(; python_version < '[\d.]+')?")
    assert [line for line in pins if not exact.fullmatch(line)] == []


def test_npm_locks_name_no_registry():
    locks = list(owned_files(ROOT, "package-lock.json"))
    assert [lock for lock in locks if re.search(r'"resolved":|https?://registry', lock.read_text())] == []


def test_what_is_missing_from_the_system_is_named_with_the_remedy(monkeypatch):
    absent = system_needs.Need(("no-such-program",), "some-package")
    present = system_needs.Need(("no-such-program", "sh"), "another-package")
    monkeypatch.setitem(system_needs.PURPOSES, "test", (absent, present))
    missing = system_needs.packages_for("test")
    assert missing == ["some-package"]
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match=r"sudo apt-get install .* some-package"):
        system_needs.install_packages(missing)


def test_make_alone_prints_what_there_is_to_make():
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "serve", "test", "check", "bench", "requirements", "migrate", "help"):
        assert re.search(rf"^  make {target} +\w", said, re.MULTILINE), target


def test_tests_cannot_reach_beyond_the_loopback_interface():
    with pytest.raises((RuntimeError, UserWarning), match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 443), timeout=1)
