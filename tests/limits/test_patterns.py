"""Patterns mean what a regular expression of the same sense means, and never cost more than linear time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard.limits import patterns

pytestmark = pytest.mark.requirement("EX-7")

SENSE = {"*": "[A-Za-z0-9._-]*", "**": "[ -~]*", "?": "[A-Za-z0-9._-]", "[ab-]": "[ab-]", "[0-9]": "[0-9]"}
PIECES = st.lists(st.sampled_from([*SENSE, "a", "b", "0", ".", " ", "+"]), min_size=1, max_size=7)


@given(PIECES, st.text("ab0. +-", max_size=9))
def test_a_pattern_means_the_same_as_a_regular_expression(pieces, text) -> None:
    pieces = [piece for n, piece in enumerate(pieces) if not ("*" in piece and n and "*" in pieces[n - 1])]
    expression = "".join(SENSE.get(piece, re.escape(piece)) for piece in pieces)
    assert patterns.read("".join(pieces)).takes(text) == bool(re.fullmatch(expression, text))


@given(st.lists(st.sampled_from(["*", "**", "a"]), min_size=1, max_size=9), st.text("ab ", max_size=6))
def test_runs_beside_runs_are_the_wider_of_them(pieces, text) -> None:
    pattern = "".join(pieces)
    stars = re.sub(r"\*+", lambda run: ".*" if len(run.group()) > 1 else "[ab]*", pattern)
    assert patterns.read(pattern).takes(text) == bool(re.fullmatch(stars, text))


@pytest.mark.parametrize("pattern", ["**a" * 66, "*a" * 100, "*[a-b]" * 33, "?" * 199 + "*"])
def test_no_text_makes_a_pattern_slow(pattern) -> None:
    machine = patterns.read(pattern)
    started = time.process_time()
    machine.takes("a" * 10_000 + "!")
    machine.takes("ab" * 5_000)
    assert time.process_time() - started < 1


@given(st.text(max_size=20))
def test_any_text_is_a_pattern_or_refused(text) -> None:
    try:
        patterns.read(text).takes(text)
    except ValueError as refused:
        assert str(refused)
