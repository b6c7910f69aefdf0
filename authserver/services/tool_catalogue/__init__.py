"""The tool catalogue of an MCP server kept up to date: what its server lists, against what is agreed here.

A *drift* is one tool whose server says something else than what is saved; a *placement* proposes the scope of a tool
that nobody placed; a *plan* is the catalogue as it would be, and what an administrator ought to look at. The server is
asked by a *conversation*, with a token that opens nothing else. No page and no terminal is known here.
"""
