"""No body makes the guard see another call than the server behind it may: searched by property and by a fuzzer."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from tests.middleware.lax_readers import check

pytestmark = pytest.mark.requirement("RS-5")

SECONDS = 12
KNOWN = [
    "jsonrpc",
    "id",
    "method",
    "params",
    "name",
    "arguments",
    "uri",
    "ref",
    "result",
    "error",
    "notifications",
    "resourceSubscriptions",
    "type",
]
ALIKE = [
    "Method",
    "PARAMS",
    "Name",
    "Id",
    "Arguments",
    "URI",
    "Type",
    "resourcesubscriptions",
    "param\u017f",
    "re\u017fult",
    "m\u0435thod",
    "n\uff41me",
    "\u200bmethod",
    "\ufeffmethod",
    "na\u0301me",
    "method\u00ad",
]
NAMES = [*KNOWN, *ALIKE]
TEXTS = [
    "tools/call",
    "prompts/get",
    "resources/read",
    "completion/complete",
    "subscriptions/listen",
    "ref/prompt",
    "ref/resource",
    "ping",
    "TOOLS/CALL",
    "read_note",
    "wipe",
    "Wipe",
    "w\u0456pe",
]


def escaped(text: str) -> st.SearchStrategy[str]:
    """*text* as JSON, perhaps with an escape where none is needed."""
    plain, whole = json.dumps(text, ensure_ascii=False), "".join(f"\\u{ord(letter):04X}" for letter in text)
    return st.sampled_from([plain, json.dumps(text), f'"{whole}"'])


NUMBERS = ["0", "-0", "1", "1.0", "1e999", "-1E-5", "9" * 400, "9" * 5000, "01", "NaN", "-Infinity", "0x1", "1_0"]
STRANGE = ['"\\ud800"', '"\\udc00\\ud800"', '"\x00"', '"\\x41"', "'wipe'", '"', "", "/**/1"]
PLAIN = st.sampled_from(TEXTS).flatmap(escaped) | st.sampled_from(["1", "null", "true", "[]", "{}"])
SCALARS = st.one_of(PLAIN, PLAIN, PLAIN, st.sampled_from(NUMBERS), st.sampled_from(STRANGE))


def members(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(NAMES).flatmap(escaped), values).map(":".join)
    return st.lists(pair, max_size=5).map(lambda pairs: "{" + ",".join(pairs) + "}")


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=4).map(lambda items: "[" + ", ".join(items) + "]")


JSON = st.recursive(SCALARS, lambda inner: members(inner) | arrays(inner), max_leaves=12)


CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wipe","arguments":{"a":1<>}<>}<>}'
COMPLETION = '{"id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a"<>}<>}<>}'


def message(more: str, at: int, plain: str = CALL) -> str:
    """The *plain* one, with more members in one of the three places where there can be some."""
    parts = plain.split("<>")
    parts[at] += more[1:-1] and "," + more[1:-1]
    return "".join(parts)


MESSAGES = st.builds(message, members(SCALARS), st.integers(0, 2), st.sampled_from([CALL, COMPLETION]))
BODIES = st.one_of(MESSAGES, arrays(MESSAGES), JSON, arrays(JSON | MESSAGES))
ENCODINGS = st.just("utf-8") | st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7", "latin-1"])


@settings(max_examples=500)
@given(BODIES, ENCODINGS)
def test_what_passes_is_read_in_the_same_way_by_all(text: str, encoding: str) -> None:
    event("taken" if check(text.encode(encoding, "replace")) else "refused")


@settings(max_examples=500)
@given(MESSAGES, st.data())
def test_a_body_that_was_tampered_with_is_read_in_the_same_way_by_all(text: str, data: st.DataObject) -> None:
    body = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    event("taken" if check(bytes(body)) else "refused")


@settings(max_examples=500)
@given(
    st.sampled_from(KNOWN), st.sampled_from(TEXTS), st.integers(0, 2), st.sampled_from([CALL, COMPLETION]), st.data()
)
def test_a_name_in_another_case_is_no_other_name(
    name: str, text: str, at: int, plain: str, data: st.DataObject
) -> None:
    alike = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in name)
    check(message(json.dumps({alike: text}), at, plain).encode())


@given(st.binary(max_size=64))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"\xc0\x80")
def test_any_bytes_are_a_body_or_are_refused(body: bytes) -> None:
    check(body)


@pytest.mark.parametrize("inner", ["[%s]", '{"a":%s}', '{"params":%s}', '[{"method":"tools/call","params":%s}]'])
@pytest.mark.parametrize("depth", [10, 400, 900, 990, 5_000, 100_000])
def test_no_depth_breaks_the_reader(inner: str, depth: int) -> None:
    opening, closing = inner.split("%s")
    nested = opening * depth + "1" + closing * depth
    for body in (nested, f'{{"id":1,"method":"tools/call","params":{{"name":"wipe","arguments":{{"a":{nested}}}}}}}'):
        check(body.encode())


def test_a_fuzzer_finds_no_body_that_is_read_in_two_ways(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris has no wheel for this Python, system or processor; its tests by property ran")
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for number, text in enumerate((*NAMES, *TEXTS)):
        (seeds / str(number)).write_text(message(json.dumps({text: text}), number % 3))
    command = [sys.executable, "-m", "tests.middleware.fuzz_messages", f"-max_total_time={SECONDS}", "-max_len=512"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", str(seeds)],
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=SECONDS * 10,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert "INITED" in done.stderr, "the fuzzer has run, and was led by what it covered"
