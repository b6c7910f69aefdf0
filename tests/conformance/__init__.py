"""Conformance over HTTP: what real clients send, replayed against the whole application in this process.

Words: a *site* is the application over a database of its own; a *visitor* is a browser without a screen, with cookies
and forms; a *flow* is one client's way from registration to refresh.
"""
