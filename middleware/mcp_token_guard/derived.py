"""Scopes that stand for a permission: what a challenge asks for in the one word that every client carries, ``scope``.

``tool:<name>`` opens a tool, ``tool:<name>:once`` a single call of it, and ``limit:<id>`` a call that was registered at
the authorization server. Clients ask for them as they were challenged, besides the real scopes; no token has them.
"""

import re

MOST_CHARACTERS = 200
ONCE = ":once"

# RFC 6749 §3.3 without "=": clients search a challenge for "resource_metadata=", and tools are named by who calls.
NAME = re.compile(r"[\x21\x23-\x3c\x3e-\x5b\x5d-\x7e]+")
LIMIT = re.compile(r"limit:[A-Za-z0-9_-]{22,64}")


def of_tool(name: str, *, once: bool = False) -> str | None:
    """The scope that opens the tool called *name*, or with *once* a single call of it; None where no scope can say so.

    A name that itself ends in ``:once`` has none: it would be taken for another tool's.
    """
    scope = f"tool:{name}{ONCE if once else ''}"
    said = len(scope) <= MOST_CHARACTERS and NAME.fullmatch(name) is not None and not name.endswith(ONCE)
    return scope if said else None


def of_limit(value: object) -> str | None:
    """*value*, if it is the scope of a registered call; else None."""
    return value if isinstance(value, str) and LIMIT.fullmatch(value) else None
