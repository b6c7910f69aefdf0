"""Restores: a database at an earlier moment, and what `authserver recover` makes of it (docs/recovery.md)."""
