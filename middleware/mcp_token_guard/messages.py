"""The JSON-RPC messages in a request's body, as far as the guard must know them: what is asked, and of what.

A body that two readers could read in two ways is refused here, so that the server behind sees what was judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import strict_json
from .refusals import INVALID_PARAMS, PARSE_ERROR, BodyMalformed, RequestId
from .things import NAMED_BY, Thing, Unnamed, things

MOST_MESSAGES = 100
MEMBERS = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
ANSWERS = frozenset({"method", "result", "error"})

PARAMS = frozenset({"name", "uri", "arguments", "ref", "notifications"})
NESTED = {"ref": frozenset({"type", "name", "uri"}), "notifications": frozenset({"resourceSubscriptions"})}


@dataclass(frozen=True, slots=True)
class Message:
    """A request or notification: ``name`` is the tool, prompt or resource URI that ``Mcp-Name`` mirrors.

    ``method`` is empty for a response. ``is_request`` tells a request from a notification. ``things`` are all that it
    asks of; ``arguments`` are those of a tool's call.
    """

    method: str
    name: str | None
    request_id: RequestId
    is_request: bool
    things: tuple[Thing, ...] = ()
    arguments: Mapping[str, Any] | None = None


def parse(body: bytes) -> tuple[Message, ...]:
    """The messages of *body*: one, or those of a batch (revision 2025-03-26).

    Raises `BodyMalformed`.
    """
    return _messages(_value(body))


def find(body: bytes) -> tuple[Message, ...]:
    """As `parse`, for JSON that need not be JSON-RPC: no messages where nothing in it names a method."""
    value = _value(body)
    entries = value if isinstance(value, list) else [value]
    speaks = any(isinstance(entry, dict) and any(key.casefold() == "method" for key in entry) for entry in entries)
    return _messages(value) if speaks else ()


def _value(body: bytes) -> object:
    try:
        return strict_json.loads(body)
    except ValueError as error:
        raise BodyMalformed(f"the body cannot be read: {_cause(error)}", code=PARSE_ERROR) from None


def _messages(value: object) -> tuple[Message, ...]:
    if not isinstance(value, list):
        return (_message(value),)
    if not 0 < len(value) <= MOST_MESSAGES:
        raise BodyMalformed(f"a batch has 1 to {MOST_MESSAGES} messages")
    return tuple(_message(entry) for entry in value)


def _cause(error: ValueError) -> str:
    """Why, without a word of the body."""
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).partition(":")[0]


def _message(value: object) -> Message:
    if not isinstance(value, dict):
        raise BodyMalformed("a message is a JSON object")
    request_id = value.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | None):
        raise BodyMalformed("a message's id is a string or an integer")
    _refuse_look_alikes(value, MEMBERS, request_id)
    if not ANSWERS.intersection(value):
        raise BodyMalformed("a message has a method, a result or an error", request_id=request_id)
    method = value.get("method", "")
    if not isinstance(method, str):
        raise BodyMalformed("a message's method is a string", request_id=request_id)
    if not method:
        return Message("", None, request_id, is_request=False)
    named = _params(value.get("params"), request_id)
    try:
        asked = things(method, named)
    except Unnamed as lacking:
        raise BodyMalformed(f"{method} needs {lacking}", code=INVALID_PARAMS, request_id=request_id) from None
    name = asked[0][1] if method in NAMED_BY else None
    arguments = _arguments(named, request_id) if method == "tools/call" else None
    return Message(method, name, request_id, "id" in value, asked, arguments)


def _params(value: object, request_id: RequestId) -> Mapping[str, Any]:
    params = value if isinstance(value, dict) else {}
    _refuse_look_alikes(params, PARAMS, request_id)
    for member, members in NESTED.items():
        if isinstance(within := params.get(member), dict):
            _refuse_look_alikes(within, members, request_id)
    return params


def _arguments(params: Mapping[str, Any], request_id: RequestId) -> Mapping[str, Any]:
    arguments = params.get("arguments")
    if arguments is None:
        return {}
    if not isinstance(arguments, dict):
        raise BodyMalformed("params.arguments is an object", code=INVALID_PARAMS, request_id=request_id)
    return arguments


def _refuse_look_alikes(found: Mapping[str, object], members: frozenset[str], request_id: RequestId) -> None:
    """A reader that ignores case would take ``Method`` for ``method``, and see another call than was judged."""
    folded = _folded(members)
    if any(key not in members and key.casefold() in folded for key in found):
        raise BodyMalformed("a member's name differs from the protocol's in case only", request_id=request_id)


@cache
def _folded(members: frozenset[str]) -> frozenset[str]:
    return frozenset(map(str.casefold, members))


def only_id(messages: tuple[Message, ...]) -> RequestId:
    """The id to answer with: that of a single message; a batch has none of its own."""
    return messages[0].request_id if len(messages) == 1 else None
