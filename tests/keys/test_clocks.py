"""The clock of a node is off: keys follow the database's, and what one node signs is good at the others."""

import time

import pytest
import time_machine

from authserver.protocol.access_token import TYPE

from .test_rotation import CLAIMS, ISSUER, Node, kid, nodes
from .test_schedule import ages

__all__ = ["nodes"]

MINUTES = 300
AHEAD_OR_BEHIND = pytest.mark.parametrize("off", [MINUTES, -MINUTES], ids=["ahead", "behind"])


def at_a_node_off_by(seconds: float) -> time_machine.travel:
    """What the block does is done by a clock that is off by so many *seconds*."""
    return time_machine.travel(time.time() + seconds)


def signed(node: Node) -> str:
    return node.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")


@pytest.mark.requirement("DI-5")
def test_a_node_that_is_behind_the_first_key_signs_with_it(nodes):
    here, there = nodes
    here.rotation().ensure()
    with at_a_node_off_by(-MINUTES):
        token = signed(there)
    assert kid(token) == kid(signed(here))
    assert here.keyring.read(token, typ=TYPE, issuer=ISSUER)


@pytest.mark.requirement("TK-12", "DI-5")
def test_a_node_that_is_behind_signs_with_no_key_that_is_withdrawn(nodes):
    here, there = nodes
    here.rotation().ensure()
    old = signed(there)
    here.rotation().replace_all()
    with at_a_node_off_by(-MINUTES):
        assert kid(signed(there)) == kid(signed(here)) != kid(old)
        assert there.keyring.read(old, typ=TYPE, issuer=ISSUER) is None


@pytest.mark.requirement("TK-12", "DI-5")
@AHEAD_OR_BEHIND
def test_whichever_node_rotates_all_sign_with_the_next_key_at_once_and_publish_the_old_one_long_enough(nodes, off):
    here, there = nodes
    here.rotation().ensure()
    ages(here, 2 * MINUTES)
    old = signed(here)
    with at_a_node_off_by(off):
        there.rotation().rotate()
    assert kid(signed(here)) != kid(old)
    retired = next(key for key in here.stores.keys.all() if key.kid == kid(old))
    assert retired.published_until - time.time() > 600


@pytest.mark.requirement("TK-9")
def test_a_token_of_a_node_that_is_ahead_is_read_at_once(nodes):
    here, _ = nodes
    here.rotation().ensure()
    claims = {**CLAIMS, "iat": int(time.time()) + MINUTES}
    assert here.keyring.read(here.keyring.sign(claims, typ=TYPE, alg="ES256"), typ=TYPE, issuer=ISSUER) == claims
