"""State in a database: SQLite, embedded, or PostgreSQL, through the same verbs.

Words: a *row* is a mapped record (``models``), a *store* holds the verbs of one aggregate, a *listing* is a line of a
console page. Each verb is atomic, owns its transaction, and writes its audit event in it; what time it is, the
database says, in Unix seconds. A verb has a body per database only where a single statement is worth it. This package
implements the ports of ``protocol`` and ``keys``; it knows no HTTP, no secrets in clear, and no rule of the
specifications beyond what a statement must check to be atomic.
"""
