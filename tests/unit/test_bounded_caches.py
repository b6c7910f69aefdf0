"""What a process remembers is bounded, so that nobody can fill its memory by asking for ever new things."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("authserver", "middleware/mcp_token_guard")
UNBOUNDED = {"lru_cache(None)", "lru_cache(maxsize=None)"}
FIXED = {"numbered", "_folded", "_structure"}  # asked for what stands in the code alone


def remembering(source: str) -> Iterator[str]:
    """What in *source* remembers an answer for whatever it is asked."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node).removeprefix("functools.") in UNBOUNDED:
            yield "lru_cache"
        elif isinstance(node, ast.FunctionDef) and node.args.args:
            words = {ast.unparse(each).removeprefix("functools.") for each in node.decorator_list}
            if "cache" in words:
                yield node.name


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_remembers_without_a_bound(folder: str):
    files = [*ROOT.joinpath(folder).rglob("*.py")]
    assert len(files) > 20
    assert {name for file in files for name in remembering(file.read_text("utf-8"))} <= FIXED


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@cache\ndef f(x): ...", ["f"]),
        ("@functools.cache\ndef f(x): ...", ["f"]),
        ("@lru_cache(maxsize=None)\ndef f(x): ...", ["lru_cache"]),
        ("f = functools.lru_cache(None)(g)", ["lru_cache"]),
        ("@cache\ndef f(): ...", []),
        ("@lru_cache(maxsize=10)\ndef f(x): ...", []),
    ],
)
def test_the_search_finds_what_it_should(source: str, found: list[str]):
    assert list(remembering(source)) == found
