"""A caller's limits, held against the calls of a request; a refusal says which limit, and what to ask for instead."""

from collections.abc import Mapping

from .caller import Caller
from .limits import Breach, pointers, reading
from .messages import Message, only_id
from .refusals import LimitExceeded

MOST_ASKED = 20
MOST_TEXT = 500

INSUFFICIENT = "insufficient_authorization"
"""The error of draft-ietf-oauth-rar-metadata-remediation, here in the body alone."""


def enforce_limits(caller: Caller, messages: tuple[Message, ...]) -> None:
    """Raise `LimitExceeded` if any of *messages* calls a tool with what the caller's token does not let through."""
    for message in messages:
        if message.arguments is not None:
            broken = caller.limits.breach(message.name or "", message.arguments)
            if broken is not None:
                raise LimitExceeded(
                    f"{broken}. A grant that lets this through has to be asked for at the authorization server.",
                    _data(broken, caller.resource, message.arguments),
                    request_id=only_id(messages),
                )


def _data(broken: Breach, resource: str, arguments: Mapping[str, object]) -> dict[str, object]:
    data: dict[str, object] = {
        "error": INSUFFICIENT,
        "tool": broken.tool,
        "argument": broken.argument,
        "limit": broken.rule,
    }
    asked = _asked(broken.tool, resource, arguments)
    if asked is not None:
        data["authorization_details"] = [asked]
    return data


def _asked(tool: str, resource: str, arguments: Mapping[str, object]) -> dict[str, object] | None:
    """The detail that lets just this call through, for the client to ask for; None where that cannot be put briefly."""
    if len(arguments) > MOST_ASKED or not all(map(_is_brief, arguments.values())):
        return None
    rules = {pointers.write((name,)): {"values": [value]} for name, value in arguments.items()}
    detail: dict[str, object] = {"type": reading.TYPE, "locations": [resource], "tools": [tool], "limits": rules}
    try:
        reading.detail(detail)
    except ValueError:
        return None
    return detail


def _is_brief(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MOST_TEXT
    return value is None or isinstance(value, int)
