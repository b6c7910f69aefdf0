"""Tokens that open some methods of MCP and nothing else: the claim ``mcp_methods``, a list of their names.

The authorization server makes such a token for itself, to list a server's tools. Scopes are still needed besides.
"""

from collections.abc import Iterable

from .caller import Caller
from .messages import Message
from .refusals import TokenRefused

CLAIM = "mcp_methods"
OTHERS = "the token is for other methods only"


def check(caller: Caller, http_method: str, messages: Iterable[Message], *, at_endpoint: bool) -> None:
    """Let through only what the token's claim names, at the endpoint, and the end of a session (DELETE).

    A claim that is no list opens nothing. Raises `TokenRefused`.
    """
    if CLAIM not in caller.claims:
        return
    opened = caller.claims[CLAIM]
    methods = [message.method for message in messages]
    asks = http_method == "POST" and bool(methods) and isinstance(opened, list)
    if at_endpoint and (http_method == "DELETE" or (asks and all(method in opened for method in methods))):
        return
    raise TokenRefused(OTHERS)


def check_any(caller: Caller) -> None:
    """Refuse the token of *caller* where nobody sees which methods are asked for. Raises `TokenRefused`."""
    if CLAIM in caller.claims:
        raise TokenRefused(OTHERS)
