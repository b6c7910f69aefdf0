"""`make demo`: the authorization server and a sample MCP server behind its guard, on this machine.

Words: the *place* is the folder and the ports of one demo, a *child* is one of its two servers. The demo uses the
server as an administrator would: its settings file, its stores, its command. The server knows nothing of the demo.
"""
