"""What a tool may be called with: `authorization_details` of type ``mcp_tool`` (RFC 9396), held against a call.

Its words: a *detail* names tools of one MCP server and the *rules* on their arguments; a rule is a *limit* on a value,
at a JSON Pointer; a *breach* is the rule that a call breaks. Limits are judged by the letters of a call: they are no
sandbox.
"""

from .held import UNLIMITED, Limits, from_claim
from .judging import Breach

__all__ = ["UNLIMITED", "Breach", "Limits", "from_claim"]
