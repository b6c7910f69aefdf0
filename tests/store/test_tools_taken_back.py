"""A tool is taken back at the instant that a code is redeemed: no token gets by (TK-10)."""

import threading

import pytest

from authserver.protocol import credential
from authserver.protocol.authorization_code import Redemption
from authserver.protocol.pkce import challenge_of
from authserver.protocol.tool_permission import Permission, read
from authserver.protocol.way import Way
from authserver.store import audit
from authserver.store.authority import authority
from authserver.store.postgresql import redeem

from .scene import EVENT, FAMILY_LIFETIME, LIFETIME, REDIRECT_URI, VERIFIER, Scene


@pytest.mark.requirement("TK-10", "EX-7")
def test_whatever_is_redeemed_while_a_tool_is_taken_back_has_not_that_tool_or_is_on_the_list(scene: Scene):
    database = scene.stores.database
    if database.dialect != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    wide = {"read_note": Permission("seen", (Way(),))}
    code = credential.mint(credential.Prefix.CODE)
    approval = scene.approval("notes:read", permissions=wide)
    scene.stores.grants.approve(approval, scene.new_code(code), EVENT)
    attempt = Redemption(
        digest=credential.digest(code),
        client_id=scene.client.client_id,
        redirect_uri=REDIRECT_URI,
        challenge=challenge_of(VERIFIER),
        resource=None,
        family_id=credential.identifier(),
        refresh_digest=credential.digest("refresh"),
        refresh_lifetime=LIFETIME,
        family_lifetime=FAMILY_LIFETIME,
    )
    narrower = scene.approval("notes:read", permissions={"read_note": Permission("seen", ())})
    narrowing = threading.Thread(target=scene.stores.grants.approve, args=(narrower, scene.new_code("n"), EVENT))
    psycopg = database.engine.dialect.loaded_dbapi
    pooled = database.engine.raw_connection()
    connection = pooled.driver_connection
    connection.autocommit = False
    try:
        with connection.cursor(row_factory=psycopg.rows.namedtuple_row) as cursor:
            parameters = {**audit.parameters(EVENT), **redeem.__globals__["_parameters"](attempt)}
            found = authority(cursor.execute(redeem.__globals__["STATEMENT"], parameters).fetchone())
            narrowing.start()
            narrowing.join(2)
        connection.commit()
    finally:
        connection.rollback()
        connection.autocommit = True
        pooled.close()
    narrowing.join()
    ended = {place.position for place in scene.stores.ended.positions()}
    assert not read(found.tools)["read_note"].ways or found.position in ended
