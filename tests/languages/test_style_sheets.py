"""Our style sheets say start and end, not left and right, so that pages can run from right to left."""

import re
from pathlib import Path

import pytest

import authserver

STATIC = Path(authserver.__file__).parent / "static"
OWN = ("site.css", "console.css")
SIDED = re.compile(r"(?<![\w-])(?:(?:margin|padding|border)-)?(?:left|right)(?:-\w+)*\s*:|:\s*(?:left|right)\s*[;}]")
FOUR = re.compile(r"(?<![\w-])(?:margin|padding|inset):\s*[^\s;]+ ([^\s;]+) [^\s;]+ ([^\s;]+);")


def sided(style: str) -> list[str]:
    """What in *style* is bound to a side."""
    unlike = [found.group() for found in FOUR.finditer(style) if found.group(1) != found.group(2)]
    return [*SIDED.findall(style), *unlike]


@pytest.mark.parametrize("name", OWN)
def test_a_style_sheet_knows_no_left_and_right(name):
    assert sided((STATIC / name).read_text()) == []


@pytest.mark.parametrize(
    "rule",
    ["left: 0;", "margin-left: 1px;", "border-left: 0;", "text-align: right;", "float: left }", "padding: 0 1px 0 0;"],
)
def test_a_side_is_found(rule):
    assert sided(f"a {{ color: red; {rule}")


def test_start_and_end_are_no_sides():
    assert sided("a { margin-inline-start: 1px; padding: 0 1px 0 1px; text-align: end; margin: 1px 0 2px; }") == []
