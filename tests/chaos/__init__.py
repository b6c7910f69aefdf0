"""Chaos: what breaks under a server, broken under load, one thing after another (``make chaos``).

A *stage* is what runs: two nodes of two workers each, a durable PostgreSQL with a standby to fail over to, and proxies
between them. The *load* does all at once whatever clients, people and administrators do, and keeps in a *ledger* what
it was answered. A *fault* breaks one thing and mends it; its *trial* tells what came of it: each answer, the seconds
until all was well again, and what the *reckoning* afterwards found wrong in database, trail and answers. It knows the
server by its command, its endpoints and its database; nothing of it is shipped.
"""
