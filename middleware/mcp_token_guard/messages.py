"""The JSON-RPC messages in a request's body, as far as the guard must know them: what is asked, and of what.

A body that two readers could read in two ways is refused here, so that the server behind sees what was judged.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from . import strict_json
from .refusals import INVALID_PARAMS, PARSE_ERROR, BodyMalformed, RequestId

MOST_MESSAGES = 100
MEMBERS = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
ANSWERS = frozenset({"method", "result", "error"})

NAMED_BY: Mapping[str, str] = MappingProxyType({"tools/call": "name", "prompts/get": "name", "resources/read": "uri"})
"""Which member of ``params`` says what the method is about (MCP, Streamable HTTP, Standard Request Headers)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or notification: ``name`` is the tool, prompt or resource URI, for the methods that have one.

    ``method`` is empty for a response. ``is_request`` tells a request from a notification.
    """

    method: str
    name: str | None
    request_id: RequestId
    is_request: bool


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
    return Message(method, _name(method, value.get("params"), request_id), request_id, "id" in value)


def _name(method: str, params: object, request_id: RequestId) -> str | None:
    member = NAMED_BY.get(method)
    if member is None:
        return None
    name = None
    if isinstance(params, dict):
        _refuse_look_alikes(params, {member}, request_id)
        name = params.get(member)
    if not isinstance(name, str):
        raise BodyMalformed(f"{method} needs the string params.{member}", code=INVALID_PARAMS, request_id=request_id)
    return name


def _refuse_look_alikes(found: Mapping[str, object], members: Set[str], request_id: RequestId) -> None:
    """A reader that ignores case would take ``Method`` for ``method``, and see another call than was judged."""
    if any(key not in members and key.casefold() in members for key in found):
        raise BodyMalformed("a member's name differs from the protocol's in case only", request_id=request_id)


def only_id(messages: tuple[Message, ...]) -> RequestId:
    """The id to answer with: that of a single message; a batch has none of its own."""
    return messages[0].request_id if len(messages) == 1 else None
