"""CORS for clients in browsers: any origin, no credentials, no token asked of a preflight (DI-7, Fetch §3.2).

A bearer token is sent by script, never by the browser itself, so ``*`` opens nothing to a page that has no token.
"""

import re

from .replies import Headers, Reply

ORIGIN = (b"access-control-allow-origin", b"*")
EXPOSED = (
    b"access-control-expose-headers",
    b"WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, Retry-After",
)
NAMES = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*")
MOST_CHARACTERS = 2048
USUAL = b"Authorization, Content-Type, DPoP, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID"


def preflight(headers: Headers) -> Reply:
    """204 to ``OPTIONS``, allowing the header names that were asked for: ``Mcp-Param-*`` has no end of them."""
    asked = [value for name, value in headers if name == b"access-control-request-headers"]
    allowed = b", ".join(asked)[: MOST_CHARACTERS + 1].strip()
    if len(allowed) > MOST_CHARACTERS or not NAMES.fullmatch(allowed):
        allowed = USUAL
    return Reply(
        204,
        [
            ORIGIN,
            (b"access-control-allow-methods", b"GET, POST, DELETE, OPTIONS"),
            (b"access-control-allow-headers", allowed),
            (b"access-control-max-age", b"7200"),
            (b"vary", b"Access-Control-Request-Headers"),
        ],
    )


def opened(headers: Headers) -> Headers:
    """*headers* with those of CORS, unless the application has set its own."""
    if any(name.lower() == ORIGIN[0] for name, _ in headers):
        return headers
    return [*headers, ORIGIN, EXPOSED]
