"""The tests, a folder per kind: ``unit``, ``store``, ``web``, ``conformance``, ``journeys``, ``middleware``.

Words: a *database* is a real one, SQLite or PostgreSQL 18, chosen by ``--database`` for a whole run; a
*requirement* is a line of ``docs/requirements.md``, and tests name those that they hold. Nothing here reaches
beyond the loopback interface.
"""
