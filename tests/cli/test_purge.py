"""``authserver purge`` keeps what the settings say, and tells what went."""

import time

import pytest
from sqlalchemy import text

from authserver.store.purge import ALONE, LOCK
from tests.conformance.site import Site
from tests.store.scene import EVENT, Scene, a_client, let_pass
from tests.store.test_forgetting import DAY, ended
from tests.store.test_tool_receipts import keep, listed, receipt

from .conftest import typed


def test_a_purge_keeps_what_the_settings_say_and_tells_what_went(site: Site, monkeypatch: pytest.MonkeyPatch):
    scene = Scene.set_in(site.deployment.stores)
    ended(scene)
    keep(scene, receipt(scene, at_ms=int((time.time() - 100 * DAY) * 1000)))
    monkeypatch.setenv("AUTHSERVER_TOOL_RECEIPT_RETENTION", str(400 * DAY))
    monkeypatch.setenv("AUTHSERVER_REFRESH_FAMILY_LIFETIME", str(200 * DAY))
    let_pass(scene.stores.database, 200 * DAY)
    assert "\ngrants: 0\n" in typed("purge").output
    let_pass(scene.stores.database, DAY)
    assert "\ngrants: 1\n" in typed("purge").output
    assert len(listed(scene)) == 1
    monkeypatch.setenv("AUTHSERVER_TOOL_RECEIPT_RETENTION", str(90 * DAY))
    assert "\ntool_receipts: 1\n" in typed("purge").output


def test_a_purge_beside_another_says_so(site: Site):
    database = site.deployment.stores.database
    if database.dialect != "postgresql":
        pytest.skip("on SQLite the second writer waits for its turn")
    with database.transaction() as connection:
        connection.execute(ALONE, {"lock": LOCK})
        assert typed("purge").output == "a node is purging: it goes on with the rest by itself\n"
    assert typed("purge").output == "nothing had expired\n"


def test_a_purge_goes_past_what_somebody_holds_and_says_so(site: Site):
    database = site.deployment.stores.database
    if database.dialect != "postgresql":
        pytest.skip("on SQLite whoever writes holds all tables")
    scene = Scene.set_in(site.deployment.stores)
    ended(scene)
    let_pass(database, 300 * DAY)
    with database.transaction() as connection:
        connection.execute(text("LOCK TABLE tool_receipts IN ACCESS EXCLUSIVE MODE"))
        said = typed("purge")
    assert said.exit_code == 1
    assert "\ngrants: 1\n" in said.output
    assert "it took too long: tool_receipts;" in said.output


def test_a_purge_goes_on_though_what_has_ended_cannot_be_looked_at(site: Site):
    database = site.deployment.stores.database
    if database.dialect != "postgresql":
        pytest.skip("on SQLite whoever writes holds all tables")
    with database.transaction() as connection:
        connection.execute(text("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE"))
        said = typed("purge")
    assert said.exit_code == 1
    assert "it took too long: what has ended, refresh_tokens, " in said.output


def test_a_purge_tells_of_registrations_beside_what_else_went(site: Site):
    scene = Scene.set_in(site.deployment.stores)
    ended(scene)
    scene.stores.clients.register(a_client(), EVENT)
    let_pass(scene.stores.database, 300 * DAY)
    said = typed("purge").output
    assert "registrations: 1\n" in said
    assert "\ngrants: 1\n" in said
