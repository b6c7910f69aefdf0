"""A guard that an MCP server puts in front of itself: OAuth 2.1 resource server in three lines.

Its words are the RFCs': a *resource* is the MCP server's endpoint, an *issuer* the authorization server whose tokens
it takes, a *challenge* what a refused client is told to ask for, a *caller* who a verified token speaks for, and a
*scope* what a token opens. It must not know how tokens are issued, which framework the server is written in (the
`adapters` alone may), or anything of the authorization server that is not published under its issuer's URL.
"""

from .caller import Caller, current_caller
from .downstream import Downstream, TokenForwarded
from .guard import Guard
from .handles import Handles, HandleUnknown
from .parameters import by_schemas
from .receipts import Receipts
from .refusals import GuardError, IssuerUnavailable, TokenRefused
from .requirements import requires
from .tools import by_annotations

__all__ = [
    "Caller",
    "Downstream",
    "Guard",
    "GuardError",
    "HandleUnknown",
    "Handles",
    "IssuerUnavailable",
    "Receipts",
    "TokenForwarded",
    "TokenRefused",
    "by_annotations",
    "by_schemas",
    "current_caller",
    "requires",
]
__version__ = "0.1.0"
