"""How the server does, for who operates it: metrics of its parts, and whether it is ready.

A *figure* is a number of this process, read each second; a *matter of state* is one of the whole deployment, read from
the database when somebody asks, and at most every few seconds. It must not know who may see them: that is for ``web``.
"""
