"""Health says what it looks at: the database, its schema, the keys, and whether the process is about to stop."""

import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from authserver.keys.rotation import Slot
from authserver.keys.sealing import SealError
from authserver.protocol.audit import Event
from authserver.store.migrate import downgrade
from tests.conformance.site import Site, open_site

WELL = {"database": "ok", "schema": "ok", "keys": "ok", "process": "ok"}
OWN = {"schema": "ok", "keys": "ok", "process": "ok"}


@pytest.fixture
def own(databases, set_up, tmp_path):
    """An application whose database this test may break."""
    url = databases.create(set_up[0])
    shutil.copytree(set_up[1], tmp_path / "home")
    made = open_site(url, tmp_path / "home")
    yield made
    made.deployment.stores.database.close()
    databases.drop(url)


def parts(site: Site, word: str = "ready") -> dict[str, str]:
    """What ``/health/ready`` says, or another of its kind, which agrees with its status."""
    answer = site.get(f"/health/{word}")
    found = dict(answer.json)
    ready = found.pop("status") == word
    assert (answer.status_code, ready) in {(200, True), (503, False)}
    assert ready == (set(found.values()) == {"ok"})
    return found


def write(site: Site, statement: str) -> None:
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(text(statement))


def test_a_server_that_can_serve_says_so(site):
    assert parts(site) == WELL
    assert site.get("/health/live").json == {"status": "live"}


def test_without_keys_it_is_not_ready(own):
    kids = [key.kid for key in own.deployment.stores.keys.all()]
    own.deployment.stores.keys.withdraw(kids, Event("test.done", "system"))
    assert parts(own) == {**WELL, "keys": "failing"}
    own.deployment.rotation.ensure()
    assert own.deployment.rotation.lacking() == list[Slot]()
    assert parts(own) == WELL


def test_on_an_older_schema_it_is_not_ready(own):
    database = own.deployment.stores.database
    database.close()
    downgrade(database.engine.url.render_as_string(hide_password=False), "-1")
    assert parts(own) == {**WELL, "schema": "behind"}


def test_on_a_newer_schema_it_is(own):
    """The newer version has made it ready for both, while its nodes take the place of ours."""
    write(own, "UPDATE alembic_version SET version_num = '9999'")
    assert parts(own) == WELL


@pytest.fixture
def doomed(databases, set_up, tmp_path):
    """An application, and what takes its database away."""
    url = databases.create(set_up[0])
    shutil.copytree(set_up[1], tmp_path / "home")
    made = open_site(url, tmp_path / "home")

    def lose() -> None:
        made.deployment.stores.database.close()
        databases.drop(url)
        file = make_url(url).database if made.deployment.stores.database.dialect == "sqlite" else None
        if file:
            Path(file).mkdir()  # or it would be made anew, empty

    yield made, lose
    made.deployment.stores.database.close()


def test_a_database_that_is_gone_is_told_without_a_word_of_where_it_was(doomed):
    own, lose = doomed
    assert parts(own) == WELL
    lose()
    # What was looked at less than a moment ago is believed: keys for half a second, a schema for a minute.
    assert parts(own)["database"] == "failing"
    assert own.get("/health/live").status_code == 200


def test_without_its_database_a_node_goes_on_to_serve(doomed):
    own, lose = doomed
    assert parts(own, "serving") == OWN
    lose()
    own.deployment.keyring._loaded = (-1, ())  # as if what it has were too old to be believed
    assert parts(own)["keys"] == "failing"
    assert parts(own, "serving") == OWN


def test_a_node_that_never_had_its_database_does_not_serve(doomed):
    own, lose = doomed
    lose()
    assert parts(own, "serving") == {"schema": "failing", "keys": "failing", "process": "ok"}


def test_a_node_serves_when_its_schema_and_keys_have_come(own):
    write(own, "UPDATE alembic_version SET version_num = '0001'")
    kids = [key.kid for key in own.deployment.stores.keys.all()]
    own.deployment.stores.keys.withdraw(kids, Event("test.done", "system"))
    assert parts(own, "serving") == {"schema": "behind", "keys": "failing", "process": "ok"}
    own.deployment.rotation.ensure()
    assert parts(own, "serving") == {**OWN, "schema": "behind"}
    write(own, "UPDATE alembic_version SET version_num = '9999'")
    assert parts(own, "serving") == OWN


def test_a_node_that_cannot_open_a_root_secret_does_not_serve(own, monkeypatch):
    """What its proxy asks goes by what the process itself has, and that is nothing it could sign or read with."""
    roots = own.deployment.roots

    def fail(*_: object) -> None:
        raise SealError("the token does not answer")

    assert parts(own, "serving") == OWN
    with monkeypatch.context() as patched:
        patched.setattr(type(roots), "_open", fail)
        roots._opened.clear()
        with pytest.raises(SealError):
            roots(again=True)
        assert parts(own, "serving") == {**OWN, "keys": "failing"}
    while parts(own, "serving") != OWN:
        time.sleep(0.05)  # it is not tried again for a moment


def test_a_process_that_drains_is_alive_and_not_ready(own):
    own.deployment.readiness.drain()
    assert parts(own) == {**WELL, "process": "draining"}
    assert parts(own, "serving") == {**OWN, "process": "draining"}
    assert own.get("/health/live").status_code == 200
    assert own.get("/jwks").status_code == 200
