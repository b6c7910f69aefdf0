"""Arguments that headers mirror: ``Mcp-Param-{name}`` says what the body says, or the call is refused (SEP-2243)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .declared import member
from .mirrored import decoded
from .refusals import HeaderMismatch, RequestId
from .replies import Headers

PREFIX = b"mcp-param-"
VALUE = re.compile(rb"[\x20-\x7e\t]*")
DECIMAL = re.compile(r"-?[0-9]{1,20}(\.0{1,20})?")
CARRIED = ("string", "integer", "boolean")

Path = tuple[str, ...]
Mirrored = Mapping[str, Mapping[str, Path]]
"""Tool → the ``{name}`` of its headers → where in the arguments the value stands."""


def by_schemas(tools: Iterable[object]) -> dict[str, dict[str, Path]]:
    """What *tools* (as ``tools/list`` has them: the SDK's objects, or their JSON) want mirrored: ``x-mcp-header``."""
    found = {}
    for tool in tools:
        schema = member(tool, "input_schema", "inputSchema")
        if isinstance(schema, Mapping) and (headers := dict(_annotated(schema, ()))):
            found[str(member(tool, "name"))] = headers
    return found


def _annotated(schema: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Path]]:
    """Only what ``properties`` alone lead to counts (MCP, Custom Headers from Tool Parameters)."""
    properties = schema.get("properties")
    for name, inner in (properties if isinstance(properties, Mapping) else {}).items():
        if not isinstance(inner, Mapping):
            continue
        if isinstance(header := inner.get("x-mcp-header"), str) and inner.get("type") in CARRIED:
            yield header.lower(), (*path, name)
        yield from _annotated(inner, (*path, name))


def check(headers: Headers, wanted: Mapping[str, Path], arguments: Mapping[str, Any], request_id: RequestId) -> None:
    """Compare the headers in *wanted* with *arguments*; any parameter's header is refused when malformed or twice.

    Raises `HeaderMismatch` (400, -32020).
    """
    sent: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith(PREFIX):
            continue
        parameter = name[len(PREFIX) :].decode("latin-1")
        text = decoded(value.decode("ascii")) if VALUE.fullmatch(value) else None
        if parameter in sent or text is None:
            raise HeaderMismatch("an Mcp-Param header is malformed, or was sent twice", request_id=request_id)
        sent[parameter] = text
    for parameter, path in wanted.items():
        if not _agrees(sent.get(parameter.lower()), _at(arguments, path)):
            raise HeaderMismatch(
                f"Mcp-Param-{parameter} does not match the argument {'.'.join(path)}", request_id=request_id
            )


def _at(arguments: object, path: Path) -> object:
    for step in path:
        arguments = arguments.get(step) if isinstance(arguments, Mapping) else None
    return arguments


def _agrees(sent: str | None, value: object) -> bool:
    """Absent and null have no header; an integer is compared as a number (MCP, Server Validation)."""
    if value is None or sent is None:
        return value is None and sent is None
    if isinstance(value, bool):
        return sent == str(value).lower()
    if isinstance(value, int):
        return DECIMAL.fullmatch(sent) is not None and int(sent.partition(".")[0]) == value
    return sent == value
