"""Hot statements through a pooler: one round trip each, in whatever session the pooler has at hand."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import PoolProxiedConnection

from .driver import KNOWN, UNKNOWN, Link, Statement


class LentLink(Link):
    """A link whose session changes with every transaction (see `pooler`).

    What it sends goes as one pipeline, which is one transaction: first what is set for it, then the statement. That
    is prepared in each session that does not know it yet, so after a while in all.
    """

    def __init__(self, pooled: PoolProxiedConnection, psycopg: Any, settings: str) -> None:  # noqa: ANN401
        """*settings* is the statement that begins each transaction."""
        super().__init__(pooled, psycopg)
        self._settings = settings.encode()
        self._generators = psycopg.generators

    def _execute(self, statement: Statement, values: Sequence[bytes | None], formats: Sequence[bool]) -> Any:  # noqa: ANN401
        send = self._pgconn
        by_name = partial(send.send_query_prepared, statement.key, values, formats)
        result = self._in_one(by_name)
        if self._state(result) == UNKNOWN:
            result = self._in_one(partial(send.send_prepare, statement.key, statement.text), by_name)
        if self._state(result) == KNOWN:  # in another session by now, which may happen without end
            result = self._in_one(partial(send.send_query_params, statement.text, values, param_formats=formats))
        return self._checked(result)

    def _in_one(self, *commands: Callable[[], None]) -> Any:  # noqa: ANN401
        """The result of the last of *commands*, or of the first that failed: then none of them has done anything."""
        try:
            self._pgconn.enter_pipeline_mode()
            self._pgconn.send_query_params(self._settings, None)
            for command in commands:
                command()
            self._pgconn.pipeline_sync()
            found = self._results(len(commands) + 2)
            self._pgconn.exit_pipeline_mode()
        except BaseException:
            self.connection.close()  # answers that nobody has read would be taken for the next call's
            raise
        return next((result for result in found if result.status not in self._good), found[-1])

    def _results(self, awaited: int) -> list[Any]:
        """The results of the pipeline, which has *awaited* parts with its end, but for that of its end."""
        wait, pgconn = self.connection.wait, self._pgconn
        wait(self._generators.send(pgconn))
        found = [result for _ in range(awaited) for result in wait(self._generators.fetch_many(pgconn))]
        return [result for result in found if result.status != self._psycopg.pq.ExecStatus.PIPELINE_SYNC]
