"""What tools may be called with: `authorization_details` of type ``mcp_tool`` (RFC 9396, EX-7).

Its words: a *detail* names tools of one MCP server and the *rules* on their arguments; a rule is a *limit* on a value,
at a JSON Pointer. `rule`, `paths`, `patterns`, `pointers`, `reading` and `words` are the same files, byte for byte, in
the guard (``middleware/mcp_token_guard/limits``), which enforces details on calls; a test compares them. This side
alone decides whether one detail grants no more than another (`narrowing`), writes them (`writing`), and describes their
form (`schema`). It must not know how a detail is asked for, agreed to or kept.
"""
