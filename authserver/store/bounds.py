"""What a process may take of its database server: how many connections, and for how long."""

from dataclasses import dataclass
from typing import Self

from ..settings import Settings

CONNECTIONS = 15


@dataclass(frozen=True, slots=True)
class Bounds:
    """Times are in seconds; None sets no end, as for a migration. SQLite heeds none of them.

    ``statement`` is how long a statement may take, ``lock`` how long it may wait for another's lock, and ``idle`` how
    long a transaction may rest between two of them. ``connections`` are those of one process, at most.
    """

    connections: int = CONNECTIONS
    statement: int | None = None
    lock: int | None = None
    idle: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that *settings* set."""
        return cls(
            connections=settings.database_connections,
            statement=settings.database_statement_timeout,
            lock=settings.database_lock_timeout,
            idle=settings.database_idle_timeout,
        )

    @property
    def for_hot_statements(self) -> int:
        """How many of the connections the hot lane may keep: less than half, and everything else has the rest."""
        return max(1, (self.connections - 1) // 2)

    def settings(self, *, local: bool) -> str:
        """A statement that sets them for PostgreSQL: for the transaction that it is in if *local*, else the session.

        With them goes that plans use indexes even where a table is so small that reading it whole would be cheaper.
        Plans of prepared statements are kept: one made on a small table would read it whole when it has grown, until
        the next ANALYZE.
        """
        wanted = {
            "enable_seqscan": "off",
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        values = {name: f"{value}s" if isinstance(value, int) else value for name, value in wanted.items()}
        calls = (f"set_config('{name}', '{value}', {local})" for name, value in values.items() if value is not None)
        return f"SELECT {', '.join(calls)}"


UNBOUNDED = Bounds()
