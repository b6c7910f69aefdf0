"""Whether this process can serve, part by part: the database answers, its schema is ours, keys sign, it is not stopped.

What is not there is named, and why is not: anybody may ask. Who chooses among nodes asks for the process alone: a
database that is away is away for all of them, and then their answers are better than none.
"""

import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from ...keys.keyring import Keyring, NoSigningKey
from ...keys.ports import Purpose
from ...keys.roots import RootSecrets
from ...keys.rotation import STATUS_ALGORITHM
from ...keys.sealing import SealError
from ...store.database import Database
from ...store.own_schema import OwnSchema

OK, FAILING, BEHIND, DRAINING = "ok", "failing", "behind", "draining"


class Readiness:
    """Asked by ``/health/ready``, each time anew but for a schema that was found, and by ``/health/serving``."""

    def __init__(self, database: Database, keyring: Keyring, roots: RootSecrets) -> None:
        self._database = database
        self._keyring = keyring
        self._roots = roots
        self._draining = threading.Event()
        self._own_schema = OwnSchema(database)
        self._had_keys = False

    def drain(self) -> None:
        """From now on this process is not ready, for it is about to stop. May be called by a signal handler."""
        self._draining.set()

    def parts(self) -> dict[str, str]:
        """The state of each part: ``ok`` or what it is instead. What stands behind the database fails with it."""
        return {
            "database": _state(self._database.answers),
            "schema": _state(self._schema),
            "keys": _state(self._keys),
            "process": self._process(),
        }

    def own_parts(self) -> dict[str, str]:
        """The same of this process alone: the database is asked until schema and keys were found once, and no more.

        It is so again once a root secret could not be opened here: then nothing can be signed or read by this process.
        """
        return {
            "schema": _state(self._schema),
            "keys": OK if self._had_keys and self._roots.are_open else _state(self._keys),
            "process": self._process(),
        }

    def _process(self) -> str:
        return DRAINING if self._draining.is_set() else OK

    def _schema(self) -> str:
        return OK if self._own_schema.is_there() else BEHIND

    def _keys(self) -> str:
        self._roots()
        self._keyring.signing_kid(STATUS_ALGORITHM, Purpose.STATUS)
        self._had_keys = True
        return OK


def _state(look: Callable[[], str | None]) -> str:
    try:
        return look() or OK
    except (SQLAlchemyError, NoSigningKey, SealError):
        return FAILING
