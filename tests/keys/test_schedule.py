"""Keys rotate by a schedule that lies in the database: whichever node comes first does it, the others find it done."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jwt
import pytest
from sqlalchemy import update

from authserver.keys.keyring import Keyring
from authserver.keys.life import State, state
from authserver.keys.ports import Purpose
from authserver.keys.rotation import Rotation
from authserver.protocol.access_token import TYPE
from authserver.store.epoch import bump
from authserver.store.models import SigningKeyRow

from .test_rotation import CLAIMS, ISSUER, Node, kid, nodes  # noqa: F401 - the fixture

DAY = 86_400
AFTER = 90 * DAY


def ages(node: Node, seconds: int) -> None:
    """Let all keys be so much older."""
    with node.stores.database.transaction() as connection:
        older = {
            "created_at": SigningKeyRow.created_at - seconds,
            "signs_from": SigningKeyRow.signs_from - seconds,
            "signs_until": SigningKeyRow.signs_until - seconds,
            "published_until": SigningKeyRow.published_until - seconds,
        }
        connection.execute(update(SigningKeyRow).values(older))
        bump(connection)


def states(node: Node) -> list[tuple[str, str, State]]:
    now = int(time.time())
    return sorted((key.alg, key.purpose, state(key, now)) for key in node.stores.keys.all())


def scheduled(node: Node, **changes: Any) -> Rotation:
    return replace(node.rotation(lead=600), every=AFTER, **changes)


@pytest.mark.requirement("TK-12", "DI-5")
def test_what_has_signed_long_enough_is_retired_by_itself_and_its_token_is_read_to_its_end(nodes):  # noqa: F811
    here, there = nodes
    made = scheduled(here).keep_up()
    assert made == []
    assert {each[2] for each in states(here)} == {State.SIGNING, State.STANDBY}
    token = here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    ages(here, AFTER - DAY)
    assert scheduled(there).keep_up() == []
    ages(here, DAY)
    assert len(scheduled(there).keep_up()) == 4
    assert kid(here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")) != kid(token)
    assert here.keyring.read(token, typ=TYPE, issuer=ISSUER)
    assert [state for alg, purpose, state in states(here) if (alg, purpose) == ("ES256", Purpose.TOKENS)] == [
        State.RETIRED, State.SIGNING, State.STANDBY,
    ]  # fmt: skip
    ages(here, 700)
    assert here.keyring.read(token, typ=TYPE, issuer=ISSUER) is None


@pytest.mark.requirement("TK-12")
def test_of_many_nodes_that_find_a_key_due_one_rotates_it_once(nodes):  # noqa: F811
    scheduled(nodes[0]).keep_up()
    ages(nodes[0], AFTER)
    before = len(nodes[0].stores.keys.all())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda node: scheduled(node).keep_up(), nodes * 2))
    assert len(nodes[0].stores.keys.all()) == before + 4
    found = states(nodes[1])
    assert len([each for each in found if each[2] is State.RETIRED]) == 4
    assert [each for each in found if each[2] is State.SIGNING] == [
        ("ES256", "audit", State.SIGNING), ("ES256", "status", State.SIGNING),
        ("ES256", "tokens", State.SIGNING), ("RS256", "tokens", State.SIGNING),
    ]  # fmt: skip


def test_without_a_schedule_none_is_rotated_and_what_lacks_is_made(nodes):  # noqa: F811
    here, _ = nodes
    by_hand = replace(scheduled(here), every=0)
    by_hand.keep_up()
    ages(here, 10 * AFTER)
    before = here.stores.keys.all()
    assert by_hand.keep_up() == []
    assert here.stores.keys.all() == before
    assert len(before) == 8


@pytest.mark.requirement("DI-5", "TK-12")
def test_an_algorithm_that_a_resource_chooses_is_published_before_it_signs(nodes):  # noqa: F811
    here, there = nodes
    scheduled(here).keep_up()
    assert there.keyring.fit("EdDSA", "ES256") == "ES256"
    chosen = scheduled(here, in_use=lambda: ["EdDSA"])
    chosen.keep_up()
    assert "EdDSA" in {key["alg"] for key in there.keyring.jwks()["keys"]}
    assert there.keyring.fit("EdDSA", "ES256") == "ES256"
    ages(here, 601)
    assert there.keyring.fit("EdDSA", "ES256") == "EdDSA"
    token = there.keyring.sign(CLAIMS, typ=TYPE, alg="EdDSA")
    assert here.keyring.read(token, typ=TYPE, issuer=ISSUER)
    ages(here, AFTER)  # nobody uses it any more: it is rotated on, and can be verified
    scheduled(there).keep_up()
    assert here.keyring.read(token, typ=TYPE, issuer=ISSUER)
    assert kid(here.keyring.sign(CLAIMS, typ=TYPE, alg="EdDSA")) != jwt.get_unverified_header(token)["kid"]


def test_what_is_chosen_signs_at_once_where_its_key_does(nodes):  # noqa: F811
    here, _ = nodes
    scheduled(here).keep_up()
    keyring: Keyring = here.keyring
    assert keyring.fit("RS256", "ES256") == "RS256"
    assert keyring.fit(None, "ES256") == "ES256"
