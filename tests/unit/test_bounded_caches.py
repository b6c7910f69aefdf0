"""What a process remembers is bounded, so that nobody can fill its memory by asking for ever new things."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from authserver.store.cache import RecentlyUsed

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("authserver", "middleware/mcp_token_guard")
UNBOUNDED = {"lru_cache(None)", "lru_cache(maxsize=None)"}
FIXED = {"numbered", "_folded", "_structure"}  # asked for what stands in the code alone
BY_KEY = {"dict", "set", "OrderedDict", "Counter", "defaultdict"}
MOST = 100_000
# What objects keep by keys that come later, and the number that each compares its size with.
COUNTED = {
    "Ceiling._counts": "MOST_SOURCES",
    "Ceiling._free_at": "MOST_KEYS",
    "Introspection._answers": "MOST_REMEMBERED",
    "Introspection._questions": "MOST_QUESTIONS",
    "Later._waiting": "MOST_WAITING",
    "Permissions._spent": "MOST_REMEMBERED",
    "RecentlyUsed._kept": "",  # said where it is made
    "Revocations._lists": "MOST_LISTS",
    "_Kept.details": "MOST_KEPT",
    "_Kept.left": "MOST_KEPT",
    "_Memory.callers": "MOST_REMEMBERED",
}
# What is bounded by what it is about.
OF_ITS_NATURE = {
    "Api._paths": "operations",
    "Ceilings._made": "settings",
    "Database._compiled": "statements of the code",
    "Database._together": "verbs of the code",
    "EndedPlaces._ended": "places that ended in the last hours: docs/nodes.md",
    "EndedPlaces._seen": "the same",
    "EndedPlaces._shards": "status lists that there are",
    "EndedPlaces._suspended": "servers that are suspended",
    "EndedPlaces._tokens": "access tokens that were revoked, until they expire",
    "Keyring._pairs": "signing keys that there are",
    "Lane._together": "statements of the code",
    "Leaving._waiting": "connections, which gunicorn bounds",
    "Link._prepared": "statements of the code",
    "Replay._grants": "one replay",
    "Replay._held": "one replay",
    "Replay._names": "one replay",
    "Requests._known": "endpoints, grant types and classes of status",
    "Requests._open": "requests that threads are answering",
    "RootSecrets._opened": "root secrets that there are",
    "Silence._left_behind": "connections, which the pool bounds, of the last minute",
    "Slots._taken": "fetches at once",
    "StatusLists._served": "status lists that there are",
    "Streams._sizes": "targets in the settings",
    "Tally._counts": "words of ours",
    "Tap._told": "one answer",
    "Worker._arriving": "connections, which gunicorn bounds",
    "_Deciding.by": "one decision",
    "_Deciding.shut": "one decision",
    "_Followed._seen": "words of ours",
    "_Resources._plain": "settings of the guard",
    "_Seen.starts": "one name",
}


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


def holding(source: str) -> Iterator[str]:
    """What the classes of *source* keep by keys that come later, as ``Class.attribute``."""
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.ClassDef):
            yield from (f"{each.name}.{name}" for name in _filled_later(each))


def _filled_later(of: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(of):
        match node:
            case ast.AnnAssign(target=ast.Attribute(ast.Name("self"), name), value=made) if made and _is_empty(made):
                yield name
            case ast.Assign(targets=[ast.Attribute(ast.Name("self"), name)], value=made) if _is_empty(made):
                yield name
            case ast.AnnAssign(target=ast.Name(name), value=ast.Call(ast.Name("field"), keywords=said)):
                is_own = name.startswith("_") or of.name.startswith("_")
                if is_own and any(each.arg == "default_factory" and _named(each.value) in BY_KEY for each in said):
                    yield name


def _is_empty(made: ast.expr) -> bool:
    is_call = isinstance(made, ast.Call) and not made.args and _named(made.func) in BY_KEY
    return is_call or (isinstance(made, ast.Dict) and not made.keys)


def _named(made: ast.expr) -> str:
    return ast.unparse(made).partition("[")[0].rpartition(".")[2]


def sources() -> list[Path]:
    return [file for folder in FOLDERS for file in ROOT.joinpath(folder).rglob("*.py")]


def test_all_that_objects_keep_by_key_is_known_with_its_bound():
    found = {name for file in sources() for name in holding(file.read_text("utf-8"))}
    assert found == COUNTED.keys() | OF_ITS_NATURE.keys()
    assert not COUNTED.keys() & OF_ITS_NATURE.keys()


@pytest.mark.parametrize(("name", "most"), [pair for pair in COUNTED.items() if pair[1]])
def test_what_is_bounded_by_number_looks_at_its_size(name: str, most: str):
    """Where it is filled, its size (or that of what it goes with) is held against a number of that name."""
    held = [file for file in sources() if name in holding(file.read_text("utf-8"))]
    assert held
    for file in held:
        text = file.read_text("utf-8")
        looks = [ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare)]
        bound = rf"\b{most}\b"
        assert any(re.search(bound, look) and "len(" in look for look in looks) or f"Queue({most})" in text, file
        assert 0 < getattr(import_module(module_of(file)), most) <= MOST


def module_of(file: Path) -> str:
    place = file.relative_to(ROOT).with_suffix("")
    return ".".join(part for part in place.parts if part != "middleware")


def test_every_cache_of_what_was_used_last_has_a_bound():
    made = 0
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _named(node.func) == RecentlyUsed.__name__:
                made += 1
                most = getattr(import_module(module_of(file)), ast.unparse(node.args[0]))
                assert 0 < most <= MOST, file
    assert made >= 4


def test_what_was_used_last_is_kept_and_no_more():
    cache: RecentlyUsed[int] = RecentlyUsed(3, 60)
    for number in range(3):
        cache.keep(str(number), number, 0)
    assert cache.get("0", 0) == 0
    cache.keep("3", 3, 0)
    assert [cache.get(str(number), 0) for number in range(4)] == [0, None, 2, 3]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class C:\n def __init__(self):\n  self._a: dict[str, int] = {}", ["C._a"]),
        ("class C:\n def clear(self):\n  self.a = collections.OrderedDict()", ["C.a"]),
        ("class C:\n _a: set[int] = field(default_factory=set)", ["C._a"]),
        ("class _C:\n a: dict[int, int] = field(default_factory=dict[int, int])", ["_C.a"]),
        ("class C:\n a: dict[int, int] = field(default_factory=dict)", []),
        ("class C:\n def __init__(self):\n  self.a = {1: 2}\n  self.b = set(known)", []),
    ],
)
def test_the_search_finds_what_objects_keep(source: str, found: list[str]):
    assert list(holding(source)) == found
