"""Hot statements through a pooler: one round trip each, in whatever session the pooler has at hand."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import PoolProxiedConnection

from .driver import KNOWN, UNKNOWN, Bound, Link, Statement


class LentLink(Link):
    """A link whose session changes with every transaction (see `pooler`).

    What it sends goes as one pipeline, which is one transaction: first what is set for it, then the statement. That
    is prepared in each session that does not know it yet, so after a while in all.
    """

    def __init__(self, pooled: PoolProxiedConnection, psycopg: Any, settings: str) -> None:  # noqa: ANN401
        """*settings* is the statement that begins each transaction."""
        super().__init__(pooled, psycopg)
        self._settings = partial(self._pgconn.send_query_params, settings.encode(), None)

    def _execute(self, statement: Statement, calls: Sequence[Bound]) -> list[Any]:
        send = self._pgconn
        by_name = [partial(send.send_query_prepared, statement.key, *call) for call in calls]
        results = self._in_one([self._settings, *by_name])
        if self._state(results[-1]) == UNKNOWN:
            prepare = partial(send.send_prepare, statement.key, statement.text)
            results = self._in_one([self._settings, prepare, *by_name])
        if self._state(results[-1]) == KNOWN:  # in another session by now, which may happen without end
            in_words = [partial(send.send_query_params, statement.text, given, None, binary) for given, binary in calls]
            results = self._in_one([self._settings, *in_words])
        return self._checked(results)[-len(calls) :]
