"""Pages in a real browser: Chromium against a real server, as people meet them.

Words: the *scene* is a running server with people, an MCP server and apps that ask; a *landing* is where an app waits
for its answer, on loopback.
"""
