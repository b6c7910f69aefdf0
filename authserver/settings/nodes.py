"""What a process may take of PostgreSQL, and how it hears of what other processes change."""

from typing import Annotated

from pydantic import Field, field_validator

from .group import Group, Seconds


class Nodes(Group):
    """Processes over one PostgreSQL. SQLite heeds none of it."""

    database_connections: Annotated[int, Field(ge=3, le=200)] = 15
    """Connections of a worker process, at most. PostgreSQL's ``max_connections`` is to hold those of all workers of all
    nodes, but for the ones behind a pooler."""

    database_statement_timeout: Seconds = 15
    """Seconds after which PostgreSQL cuts a statement off, and who asked is told to try again. Migrations take as long
    as they take."""

    database_lock_timeout: Seconds = 10
    """Seconds for which a statement waits for what another transaction holds."""

    database_idle_timeout: Seconds = 30
    """Seconds for which a transaction may rest before PostgreSQL ends it, with its connection."""

    listen_url: str = ""
    """URL of PostgreSQL for one more connection of each worker, which hears at once that clients, servers, keys or
    rules have changed. It must lead to the server itself, past any pooler. Empty: each worker looks once a second."""

    @field_validator("listen_url")
    @classmethod
    def _listens_to_postgresql(cls, url: str) -> str:
        if url and not url.startswith(("postgresql://", "postgresql+psycopg://")):
            raise ValueError("must begin with postgresql://")
        return url
