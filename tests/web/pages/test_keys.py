"""One key is withdrawn in the console; the others go on."""

import time

from authserver.keys.life import State, state
from authserver.keys.ports import Purpose
from tests.conformance.visitor import Visitor
from tests.web.pages.test_console import press


def test_one_key_is_withdrawn_and_signing_goes_on(site_with):
    site = site_with()
    admin, keys = Visitor(site, "root"), site.deployment.stores.keys
    admin.open("/admin/keys")
    now = int(time.time())
    signs = next(key for key in keys.all() if key.purpose == Purpose.TOKENS and state(key, now) is State.SIGNING)
    question = f"/admin/key/withdraw?id={signs.kid}"
    assert question.replace("&", "&amp;") in admin.open("/admin/keys").text
    press(admin, question)
    found = {key.kid: state(key, int(time.time())) for key in keys.all()}
    assert found[signs.kid] is State.WITHDRAWN
    assert list(found.values()).count(State.WITHDRAWN) == 1
    assert site.deployment.rotation.lacking() == []
    press(admin, question)
    assert {key.kid for key in keys.all()} == found.keys(), "done twice, it is done"
    assert admin.open("/admin/key/withdraw?id=none").status_code == 404
