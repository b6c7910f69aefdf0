"""One key is withdrawn: the others go on, and something always signs."""

import time

import pytest

from authserver.keys.life import State, state
from authserver.protocol.access_token import TYPE

from .test_rotation import CLAIMS, ISSUER, Node, kid, nodes

__all__ = ["nodes"]

YEAR = 365 * 86_400


@pytest.mark.requirement("TK-12")
def test_one_key_is_withdrawn_on_every_node_and_its_standby_signs_at_once(nodes):
    here, there = nodes
    here.rotation().ensure()
    old, other = (there.keyring.sign(CLAIMS, typ=TYPE, alg=alg) for alg in ("ES256", "RS256"))
    published = set(there.keyring.kids())
    assert here.rotation(lead=600).withdraw(kid(old))
    for node in nodes:
        assert kid(old) not in node.keyring.kids()
        assert node.keyring.read(old, typ=TYPE, issuer=ISSUER) is None
        assert node.keyring.read(other, typ=TYPE, issuer=ISSUER), "the others go on"
        assert kid(node.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")) in published, "caches know it already"
    assert here.rotation().lacking() == []
    assert not here.rotation().withdraw(kid(old)), "it has ended already"
    assert not here.rotation().withdraw("no such key")


@pytest.mark.requirement("TK-12")
def test_a_key_that_waits_to_sign_takes_over_at_once_from_one_that_is_withdrawn(nodes):
    here, there = nodes
    here.rotation().ensure()
    old = there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    here.rotation(lead=600).rotate()
    assert kid(there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")) == kid(old), "the next waits for its lead"
    assert here.rotation().withdraw(kid(old))
    new = there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    assert kid(new) != kid(old)
    assert here.keyring.read(new, typ=TYPE, issuer=ISSUER)


@pytest.mark.requirement("TK-12")
def test_a_standby_is_withdrawn_and_another_made(nodes):
    here, there = nodes
    here.rotation().ensure()
    signs = there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    standby = next(key.kid for key in here.stores.keys.all() if key.signs_from is None and key.alg == "ES256")
    assert here.rotation().withdraw(standby)
    assert here.rotation().lacking() == []
    assert standby not in {key.kid for key in here.stores.keys.all() if key.published_until is None}
    assert there.keyring.read(signs, typ=TYPE, issuer=ISSUER)


@pytest.mark.requirement("TK-12")
def test_of_a_key_that_is_about_to_sign_and_is_withdrawn_the_published_standby_follows(nodes):
    here, there = nodes
    here.rotation().ensure()
    old = kid(there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256"))
    here.rotation(lead=600).rotate()
    about_to = next(key for key in here.stores.keys.all() if key.alg == "ES256" and key.purpose == "tokens"
                    and key.kid != old and key.signs_from)  # fmt: skip
    standby = next(key.kid for key in here.stores.keys.all() if key.alg == "ES256" and key.purpose == "tokens"
                   and key.signs_from is None)  # fmt: skip
    assert here.rotation(lead=600).withdraw(about_to.kid)
    assert kid(there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")) == old, "the one that signs goes on"
    schedule = {key.kid: key.signs_from for key in here.stores.keys.all()}
    assert schedule[standby] == about_to.signs_from


def test_a_key_of_the_trail_that_has_retired_is_retired_for_ever_unless_it_is_withdrawn(nodes):
    here, _ = nodes
    here.rotation().ensure()
    old = next(key.kid for key in here.stores.keys.all() if key.purpose == "audit" and key.signs_from is not None)
    here.rotation().rotate()
    later = int(time.time()) + YEAR
    assert states(here, later)[old] is State.RETIRED
    assert here.rotation().withdraw(old)
    assert states(here, later)[old] is State.WITHDRAWN
    assert not here.rotation().withdraw(old)


def states(node: Node, now: int) -> dict[str, State]:
    return {key.kid: state(key, now) for key in node.stores.keys.all()}
