"""Sealing while events come all the time: a seal for many, not for each of them."""

from typing import Any

import pytest

from authserver.protocol.audit import Event
from authserver.store.audit import record
from authserver.store.seals import SealStore
from authserver.store.trail import PAGE
from tests.sealing import wait_until_finished

from .conftest import Trail


def test_what_comes_while_it_seals_is_left_to_the_next_round(trail: Trail, monkeypatch: pytest.MonkeyPatch):
    trail.write("first")
    wait_until_finished(trail.database)
    seal = SealStore.seal

    def seal_while_more_comes(self: SealStore, *arguments: Any) -> int:
        sealed = seal(self, *arguments)
        trail.write("next")
        wait_until_finished(trail.database)
        return sealed

    monkeypatch.setattr(SealStore, "seal", seal_while_more_comes)
    assert [trail.sealer().seal_what_waits() for _ in range(3)] == [1, 1, 1]


def test_all_that_waits_is_sealed_however_much_it_is(trail: Trail):
    with trail.database.transaction() as connection:
        for number in range(PAGE + 1):
            record(connection, Event("many", "system", detail={"number": number}))
    wait_until_finished(trail.database)
    assert trail.sealer().seal_what_waits() == PAGE + 1
    assert trail.wrong() == []
