"""The answer to ``tools/list`` from a server that is not trusted: bounded, its words made harmless (MCP, Tools)."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import strict_json
from .scope import TOKEN
from .tool import Annotations, Claim

MOST_TOOLS = 1000
MOST_BYTES = 4 * 1024 * 1024  # of all pages together
MOST_TITLE = 200
MOST_DESCRIPTION = 2000
MOST_CURSOR = 4096
MOST_ARGUMENTS = 20
ARGUMENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
JSON_TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})
HINTS = {
    "readOnlyHint": "read_only",
    "destructiveHint": "destructive",
    "idempotentHint": "idempotent",
    "openWorldHint": "open_world",
}
UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


class NotTools(ValueError):
    """It is no list of tools that can be taken; the message says why, without a word of the server's."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: ``tools`` as they came, and the ``cursor`` of the next page, if there is one."""

    tools: tuple[Any, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """What a server lists: a claim by tool name, and how many tools were left out, their names being none."""

    claims: Mapping[str, Claim]
    nameless: int


def page(result: Mapping[str, Any]) -> Page:
    """The *result* of one ``tools/list``. Raises `NotTools`."""
    tools, cursor = result.get("tools"), result.get("nextCursor")
    if not isinstance(tools, list):
        raise NotTools("the answer has no list of tools")
    if cursor is not None and (not isinstance(cursor, str) or len(cursor) > MOST_CURSOR):
        raise NotTools(f"nextCursor is a text of at most {MOST_CURSOR} characters")
    return Page(tuple(tools), cursor)


def whole(text: bytes) -> Listed:
    """The claims in *text*, the JSON of a ``tools/list`` answer with all tools, or of its result. Raises `NotTools`."""
    try:
        content = strict_json.loads(text)
    except ValueError as wrong:
        raise NotTools(f"not JSON that can be read ({str(wrong).partition(':')[0]})") from None
    result = content.get("result", content)
    found = page(result if isinstance(result, dict) else {})
    if found.cursor is not None:
        raise NotTools("it is one of several pages (nextCursor); put the tools of all of them in one")
    return listed(found.tools)


def listed(tools: Iterable[Any]) -> Listed:
    """The claims in *tools*, of all pages. Raises `NotTools`."""
    claims: dict[str, Claim] = {}
    nameless = 0
    for count, tool in enumerate(tools, 1):
        if count > MOST_TOOLS:
            raise NotTools(f"the server lists more than {MOST_TOOLS} tools")
        if not isinstance(tool, dict):
            raise NotTools("a tool is a JSON object")
        name = tool.get("name")
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            nameless += 1
        elif name in claims:
            raise NotTools(f"the server lists {name} twice")
        else:
            claims[name] = _claim(name, tool)
    return Listed(claims, nameless)


def plain_line(text: str, most: int) -> str:
    """*text* as one line that shows all it has: white space made single, what is unseen or turns direction left out."""
    seen = "".join(" " if letter.isspace() else letter for letter in text[: 4 * most])
    line = " ".join("".join(letter for letter in seen if unicodedata.category(letter) not in UNSEEN).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def digest(value: object) -> str:
    """SHA-256 in hex of *value* as JSON in one form: names sorted, no space, ASCII only. Raises `NotTools`."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise NotTools("a tool's description is nested too deeply") from None
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _claim(name: str, tool: Mapping[str, Any]) -> Claim:
    hints = tool.get("annotations")
    hints = hints if isinstance(hints, dict) else {}
    own, hinted, description = tool.get("title"), hints.get("title"), tool.get("description")
    title = next((text for text in (own, hinted) if isinstance(text, str) and text.strip()), name)
    return Claim(
        title=plain_line(title, MOST_TITLE) or name,
        description=plain_line(description, MOST_DESCRIPTION) if isinstance(description, str) else "",
        annotations=Annotations(
            **{own: hints[hint] for hint, own in HINTS.items() if isinstance(hints.get(hint), bool)}
        ),
        words_digest=digest([own, hinted, description]),
        schema_digest=digest(tool.get("inputSchema")),
        arguments=_arguments(tool.get("inputSchema")),
    )


def _arguments(schema: object) -> tuple[tuple[str, str], ...]:
    """Names and types of the arguments that an input schema has at its top, if people could read them all."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    named = properties if isinstance(properties, dict) else {}
    if len(named) > MOST_ARGUMENTS or not all(map(ARGUMENT.fullmatch, named)):
        return ()
    types = {name: kind.get("type") if isinstance(kind, dict) else None for name, kind in named.items()}
    return tuple((name, kind if isinstance(kind, str) and kind in JSON_TYPES else "") for name, kind in types.items())
