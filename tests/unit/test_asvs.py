"""docs/asvs.md: what it says is complete, and each test that it names exists; and some of what it says by itself."""

import ast
import re
from pathlib import Path

import pytest

from authserver.accounts import one_time_codes, recovery_codes
from authserver.settings.people import People

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs.md").read_text()
ACCOUNTS = (ROOT / "docs" / "accounts.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
LINE = re.compile(r"^\| (\d\.\d\.\d+) \| ([12]) \| [^|]+ \| (met|setting|n/a|deviates) \| (.+) \|$", re.MULTILINE)
# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has.
SECTIONS = {"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4}
SECTIONS |= {"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2}
WAYS_IN = {
    "account/sign_in.py",
    "account/second_factor.py",
    "account/upstream.py",
    "account/invitation.py",
}
DAY = 86_400


def defined(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_requirement_has_its_line_and_only_once():
    lines = [line[0] for line in LINE.findall(PAGE)]
    assert lines == [f"{section}.{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)]


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_each_test_that_is_named_exists(path: str, name: str):
    assert name in defined(path)


def test_what_is_met_names_the_test_that_holds_it():
    assert [line[0] for line in LINE.findall(PAGE) if line[2] != "n/a" and "::test_" not in line[3]] == []


def test_there_is_no_way_in_that_the_page_does_not_name():
    web = ROOT / "authserver" / "web"
    begins = {str(path.relative_to(web)) for path in web.rglob("*.py") if "signed_in.begin(" in path.read_text()}
    assert begins == WAYS_IN
    table = ACCOUNTS.partition("## Ways in")[2].partition("\n## ")[0]
    for way in ("password", "passkey", "code of an app", "identity provider", "invitation", "stays signed in"):
        assert way in table


def test_the_lifetimes_that_the_page_names_are_the_defaults():
    sessions, settings = ACCOUNTS.partition("## Sessions")[2], People.model_fields
    for name, days in (("session_lifetime", 30), ("session_idle", 7), ("remember_me", 30)):
        assert settings[name].default == days * DAY
        assert re.search(rf"`{name}`[^|]*\| {days} days", sessions), name


def test_recovery_codes_are_long_enough_for_a_digest():
    assert recovery_codes.BYTES * 8 >= 112
    assert all(len(recovery_codes.normal(code) or "") * 5 >= 112 for code in recovery_codes.mint())


def test_no_two_codes_or_seeds_are_alike():
    assert len({code for _ in range(20) for code in recovery_codes.mint()}) == 20 * recovery_codes.CODES
    assert len({one_time_codes.new_secret() for _ in range(50)}) == 50
