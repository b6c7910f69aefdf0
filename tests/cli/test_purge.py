"""``authserver purge`` keeps what the settings say, and tells what went."""

import time

import pytest

from tests.conformance.site import Site
from tests.store.scene import Scene, let_pass
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
