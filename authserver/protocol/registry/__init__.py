"""The registry: what is known of real MCP clients, and what to think of a client that says it is one of them.

Words: a *known client* is an entry of ``clients.toml``; a *brand* is anything with a name that people trust, clients
and vendors alike; to *recognise* a client is to say which known client it is, or says it is, and what proves that; a
*doubt* is a reason to look twice, to be shown with the name. Data and rules only: nothing is fetched or stored.
"""
