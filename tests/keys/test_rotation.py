"""Signing keys rotate on every node at once, without a restart and without a token that cannot be verified."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlalchemy import select, update

from authserver.keys.keyring import Keyring, NoSigningKey
from authserver.keys.ports import Purpose
from authserver.keys.rotation import Rotation
from authserver.keys.sealing import OneRoot, SealError, Vault
from authserver.protocol.access_token import TYPE
from authserver.store import migrate
from authserver.store.database import Database, connect
from authserver.store.epoch import bump
from authserver.store.models import SigningKeyRow
from authserver.store.stores import Stores

ISSUER = "https://auth.example"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "https://mcp.example",
    "sub": "s",
    "jti": "f.1",
    "iat": 1,
    "exp": 2**33,
    "client_id": "c",
}
KEK = os.urandom(32)


@dataclass
class Node:
    """One process's view of the keys: its own connection, caches and vault."""

    stores: Stores
    keyring: Keyring

    @classmethod
    def on(cls, database: Database, kek: bytes = KEK) -> "Node":
        stores = Stores.over(database)
        # A node reads the epoch at most once a second; here it reads it each time, so that no test waits.
        return cls(stores, Keyring(stores.keys, Vault(OneRoot(kek)), lambda: stores.epoch.current(max_age=0)))

    def rotation(self, *, lead: int = 0, algorithm: str = "ES256") -> Rotation:
        return Rotation(self.stores.keys, Vault(OneRoot(KEK)), algorithm, token_lifetime=600, lead=lead)


@pytest.fixture
def nodes(fresh_database_url: str) -> Iterator[tuple[Node, Node]]:
    migrate.upgrade(fresh_database_url)
    first, second = (connect(Flask(name), fresh_database_url) for name in ("first", "second"))
    yield Node.on(first), Node.on(second)
    first.close()
    second.close()


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def retired(node: Node) -> list[str]:
    """What others met and does not sign any more: keys for the audit trail are met by nobody."""
    met = (key for key in node.stores.keys.all() if key.purpose != Purpose.AUDIT)
    return [key.kid for key in met if key.signs_until is not None]


@pytest.mark.requirement("TK-12", "DI-5")
def test_a_rotation_on_one_node_is_signed_with_and_verified_on_the_other(nodes):
    here, there = nodes
    here.rotation().ensure()
    old = there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    here.rotation().rotate()
    new = there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    assert kid(old) != kid(new)
    for node in nodes:
        for token in (old, new):
            assert node.keyring.read(token, typ=TYPE, issuer=ISSUER)


@pytest.mark.requirement("DI-5")
def test_the_next_key_is_published_before_it_signs(nodes):
    here, there = nodes
    here.rotation().ensure()
    published = set(there.keyring.kids())
    here.rotation().rotate()
    assert kid(there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")) in published


@pytest.mark.requirement("DI-5")
def test_a_young_standby_waits_for_its_lead_while_the_old_key_signs_on(nodes):
    here, _ = nodes
    here.rotation().ensure()
    before = kid(here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256"))
    here.rotation(lead=600).rotate()
    assert kid(here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")) == before


@pytest.mark.requirement("TK-12", "DI-5")
def test_an_old_key_is_published_until_its_last_token_has_expired(nodes):
    here, there = nodes
    here.rotation().ensure()
    token = here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    here.rotation().rotate()
    assert set(retired(here)) <= set(there.keyring.kids())
    for gone in retired(here):
        assert _published_until(here, gone) >= 600
        with here.stores.database.transaction() as connection:
            aged = update(SigningKeyRow).where(SigningKeyRow.kid == gone)
            connection.execute(aged.values(signs_until=1, published_until=1))
            bump(connection)
    assert not set(retired(here)) & set(there.keyring.kids())
    assert there.keyring.read(token, typ=TYPE, issuer=ISSUER) is None


def _published_until(node: Node, name: str) -> int:
    key = next(key for key in node.stores.keys.all() if key.kid == name)
    assert key.published_until is not None
    assert key.signs_until is not None
    return key.published_until - key.signs_until


@pytest.mark.requirement("DI-5")
def test_the_jwks_has_public_members_of_an_es256_and_an_rs256_key_only(nodes):
    here, _ = nodes
    here.rotation().ensure()
    keys = here.keyring.jwks()["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    for key in keys:
        assert key["use"] == "sig"
        assert key["kid"]
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


@pytest.mark.requirement("TK-1")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_every_selectable_algorithm_signs_and_is_published(nodes, algorithm):
    here, there = nodes
    here.rotation(algorithm=algorithm).ensure()
    token = here.keyring.sign(CLAIMS, typ=TYPE, alg=algorithm)
    key = jwt.PyJWKSet.from_dict(there.keyring.jwks())[kid(token)]
    assert jwt.decode(token, key, algorithms=[algorithm], audience=CLAIMS["aud"])["sub"] == "s"
    assert there.keyring.read(token, typ=TYPE, issuer=ISSUER)


@pytest.mark.requirement("TK-12")
def test_private_keys_rest_encrypted_and_another_kek_opens_none(nodes):
    here, there = nodes
    here.rotation().ensure()
    with here.stores.database.reading() as connection:
        rows = connection.execute(select(SigningKeyRow.sealed_private, SigningKeyRow.public_jwk)).all()
    assert rows
    for row in rows:
        assert b"PRIVATE" not in row.sealed_private
        assert row.sealed_private[:1] != b"0" or b"\x06\x07*\x86H\xce=\x02\x01" not in row.sealed_private
        assert "d" not in row.public_jwk
    stranger = Node.on(there.stores.database, kek=os.urandom(32))
    with pytest.raises(SealError):
        stranger.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")


def test_without_keys_nothing_is_signed(nodes):
    with pytest.raises(NoSigningKey):
        nodes[0].keyring.sign(CLAIMS, typ=TYPE, alg="ES256")


def _forged(header: dict[str, Any], payload: dict[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in (header, payload))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])


@pytest.mark.requirement("TK-9")
def test_only_our_own_intact_tokens_of_the_right_type_are_read(nodes):
    here, _ = nodes
    here.rotation().ensure()
    good = here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    head, body, signature = good.split(".")
    refused = [
        "", "a.b.c", good + "x", f"{head}.{body}.", good.replace(body, body[:-2] + "AA"),
        here.keyring.sign(CLAIMS, typ="JWT", alg="ES256"),
        here.keyring.sign({**CLAIMS, "iss": "https://other.example"}, typ=TYPE, alg="ES256"),
        here.keyring.sign({**CLAIMS, "exp": 1}, typ=TYPE, alg="ES256"),
        here.keyring.sign({name: value for name, value in CLAIMS.items() if name != "jti"}, typ=TYPE, alg="ES256"),
        _forged({"alg": "none", "typ": TYPE, "kid": kid(good)}, CLAIMS),
        _forged({"alg": "ES256", "typ": TYPE, "kid": "unknown"}, CLAIMS),
        _forged({"alg": "ES256", "typ": TYPE, "kid": ["list"]}, CLAIMS),
    ]  # fmt: skip
    assert signature
    assert here.keyring.read(good, typ=TYPE, issuer=ISSUER)
    for token in refused:
        assert here.keyring.read(token, typ=TYPE, issuer=ISSUER) is None


@pytest.mark.requirement("TK-12")
def test_an_emergency_withdraws_every_key_on_every_node_at_once_and_signing_goes_on(nodes):
    here, there = nodes
    here.rotation().ensure()
    old = there.keyring.sign(CLAIMS, typ=TYPE, alg="ES256")
    before = {key.kid for key in here.stores.keys.all()}
    assert set(there.keyring.kids()) < before
    withdrawn, made = here.rotation(lead=600).replace_all()
    assert withdrawn == len(before)
    for node in nodes:
        assert node.keyring.kids()
        assert set(node.keyring.kids()) < set(made)
        assert not before & set(made)
        assert node.keyring.read(old, typ=TYPE, issuer=ISSUER) is None
        assert node.keyring.read(node.keyring.sign(CLAIMS, typ=TYPE, alg="ES256"), typ=TYPE, issuer=ISSUER)
        assert node.keyring.signing_kid("ES256", Purpose.STATUS) in made
    here.rotation().rotate()
    assert not before & set(there.keyring.kids())


@pytest.mark.requirement("TK-12")
def test_of_two_emergencies_at_once_the_keys_of_one_are_left(nodes):
    here, there = nodes
    here.rotation().ensure()
    together = threading.Barrier(2)

    def withdraw(node: Node) -> None:
        together.wait()
        node.rotation().replace_all()

    crowd = [threading.Thread(target=withdraw, args=(node,)) for node in nodes]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    for node in nodes:
        assert node.rotation().lacking() == []
        assert there.keyring.read(node.keyring.sign(CLAIMS, typ=TYPE, alg="ES256"), typ=TYPE, issuer=ISSUER)


@pytest.mark.requirement("DI-5")
def test_a_key_for_lists_signs_no_tokens_and_none_of_its_signatures_is_taken_for_one(nodes):
    here, _ = nodes
    here.rotation().ensure()
    purposes = {key["kid"]: key.get("purpose") for key in here.keyring.jwks()["keys"]}
    assert purposes[kid(here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256"))] is None
    forged = here.keyring.sign(CLAIMS, typ=TYPE, alg="ES256", purpose=Purpose.STATUS)
    assert purposes[kid(forged)] == "status"
    assert here.keyring.read(forged, typ=TYPE, issuer=ISSUER) is None
