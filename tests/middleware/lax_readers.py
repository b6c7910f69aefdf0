"""What other readers may see in a body: those that take the first of two names or the last, or do not look at case.

Whatever the guard lets pass, every one of them has to read as the guard did, or a call could hide from it.
"""

import json
from typing import Any

from mcp_token_guard import messages
from mcp_token_guard.messages import Message
from mcp_token_guard.refusals import GuardError
from mcp_token_guard.things import Thing, things

Pairs = list[tuple[str, Any]]
Seen = list[tuple[str, tuple[Thing, ...], Any]]
"""Of each message: its method, what it asks of, and the arguments of a tool's call."""


def check(body: bytes) -> bool:
    """Whether the guard takes *body*, and all others see the same in it; raises `AssertionError` if one does not."""
    read = _read(messages.parse, body)
    found = _read(messages.find, body)
    assert found in (read, ()), "what is looked for elsewhere than at the endpoint is judged in the same way"
    if read is None:
        return False
    ours = [(message.method, message.things, message.arguments) for message in read]
    for merge in (_last_wins, _first_wins):
        assert _seen(body, merge) in (ours, None)
    # The names of a tool's arguments are its own: a reader that is blind there is the tool.
    named = [call[:2] for call in ours]
    for merge in (_blind, _blind_first_wins):
        seen = _seen(body, merge)
        assert seen is None or [call[:2] for call in seen] == named
    return True


def _read(reader: Any, body: bytes) -> tuple[Message, ...] | None:
    """What the guard's *reader* makes of *body*; None where it refuses, which is all that it may raise."""
    try:
        return reader(body)
    except GuardError as refusal:
        assert refusal.status == 400
        return None


def _last_wins(pairs: Pairs) -> Any:
    return dict(pairs)


def _first_wins(pairs: Pairs) -> Any:
    return dict(reversed(pairs))


def _blind(pairs: Pairs) -> Any:
    known = {"resourcesubscriptions": "resourceSubscriptions"}
    return {known.get(name.casefold(), name.casefold()): value for name, value in pairs}


def _blind_first_wins(pairs: Pairs) -> Any:
    return _blind(list(reversed(pairs)))


def _seen(body: bytes, merge: Any) -> Seen | None:
    """What a plain reader sees, which guesses the encoding too; None where it fails."""
    try:
        value = json.loads(body, object_pairs_hook=merge)
    except (ValueError, RecursionError):
        return None
    return [_call(entry) for entry in (value if isinstance(value, list) else [value])]


def _call(entry: Any) -> tuple[str, tuple[Thing, ...], Any]:
    method, params = entry.get("method", ""), entry.get("params")
    named = params if isinstance(params, dict) else {}
    return method, things(method, named), (named.get("arguments") or {}) if method == "tools/call" else None
