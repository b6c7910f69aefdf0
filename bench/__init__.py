"""The bench: this server beside its peers, in one run, under one load generator.

A *contestant* is a running server that can be loaded: ours on a durable database, or a peer. A *measure*
is one call (refresh, introspection, …) with the material that the load needs, such as codes or tokens. A *point* is
one contestant under one measure for a few seconds; points come in *pairs*, one of each contestant, one after the
other, and only ratios within a pair are judged: these machines drift. The bench knows the server by its command, its
endpoints and its store's verbs; nothing of it is shipped.
"""
