"""Use cases: each joins protocol, store, keys and audit into one thing that somebody wants done.

Issue and refresh tokens, revoke, introspect, register a client, decide on an authorization. The services know
nothing of HTTP beyond the values that ``web`` parsed, and nothing of SQL beyond the store's verbs.
"""
