"""Whoever has a key that was withdrawn cannot seal what happened since, whatever moment he writes."""

import time

import pytest

from authserver.keys.keyring import Keyring
from authserver.keys.ports import Purpose
from authserver.keys.sealing import OneRoot, Vault
from authserver.protocol.audit_seal import DROP_TYPE, SEAL_TYPE, seal_digest
from authserver.services.trail.verification import Kind
from authserver.store.sealed import Seal

from .conftest import KEK, Trail


def newest_of(trail: Trail) -> Seal:
    found = trail.stores.seals.head()
    assert found is not None
    return found


def forge(trail: Trail, number: int, keyring: Keyring, *, later: int = 0, **changes: str) -> str:
    """The seal of that number with *changes*, signed by a key of *keyring* as if that was so many seconds *later*."""
    (row,) = trail.stores.seals.after(number - 1, 1)
    claims = trail.keyring.read_own(row.signed, typ=SEAL_TYPE, purpose=Purpose.AUDIT)
    assert claims
    forged = {**claims, **changes, "iat": claims["iat"] + later}
    signed = keyring.sign(forged, typ=SEAL_TYPE, alg="ES256", purpose=Purpose.AUDIT)
    moved = f"sealed_at = sealed_at + {later}"
    trail.tamper(f"UPDATE audit_seals SET statement = '{signed}', {moved} WHERE number = {number}")
    return signed


@pytest.fixture
def stolen(sealed: Trail) -> Keyring:
    """The keys as they were before they were withdrawn; two seals follow, by those in their place."""
    found = Keyring(sealed.stores.keys, Vault(OneRoot(KEK)), lambda: 0)
    found.signing_kid("ES256", Purpose.AUDIT)
    sealed.rotation().replace_all()
    sealed.seal("f")
    sealed.seal("g")
    return found


def test_it_is_found_by_what_the_seal_says(sealed: Trail, stolen: Keyring):
    newest = newest_of(sealed)
    forge(sealed, newest.number, stolen, later=3600)
    assert sealed.wrong() == [(Kind.KEY_WITHDRAWN, newest.number)]


def test_it_is_found_by_the_seal_before(sealed: Trail, stolen: Keyring):
    newest = newest_of(sealed)
    before = forge(sealed, newest.number - 1, sealed.keyring, later=3600)
    forge(sealed, newest.number, stolen, previous=seal_digest(before))
    assert sealed.wrong() == [(Kind.KEY_WITHDRAWN, newest.number)]


def test_it_is_found_where_the_moment_was_cleared(sealed: Trail, stolen: Keyring):
    newest = newest_of(sealed)
    forge(sealed, newest.number, stolen, later=3600)
    sealed.tamper("UPDATE signing_keys SET withdrawn_at = NULL")
    assert sealed.wrong() == [(Kind.KEY_WITHDRAWN, newest.number)]


def test_it_drops_nothing_either(sealed: Trail, stolen: Keyring):
    claims = {"number": 2, "iat": int(time.time()) + 3600}
    word = stolen.sign(claims, typ=DROP_TYPE, alg="ES256", purpose=Purpose.AUDIT)
    sealed.tamper(
        "DELETE FROM audit_events WHERE name IN ('a', 'b', 'c')",
        f"UPDATE audit_seals SET dropped = '{word}' WHERE number = 2",
    )
    assert sealed.wrong() == [(Kind.KEY_WITHDRAWN, 2)]


@pytest.mark.parametrize("withdraw", ["all", "one"])
def test_a_key_that_has_retired_long_ago_is_withdrawn_too(sealed: Trail, withdraw: str):
    retired = sealed.keyring.signing_kid("ES256", Purpose.AUDIT)
    stolen = Keyring(sealed.stores.keys, Vault(OneRoot(KEK)), lambda: 0)
    stolen.signing_kid("ES256", Purpose.AUDIT)
    sealed.rotation().rotate()
    sealed.tamper(f"UPDATE signing_keys SET signs_until = 2, published_until = 2 WHERE kid = '{retired}'")
    if withdraw == "one":
        assert sealed.rotation().withdraw(retired)
        assert not sealed.rotation().withdraw(retired), "done twice, it is done"
    else:
        sealed.rotation().replace_all()
    sealed.seal("f")
    assert sealed.wrong() == []
    newest = newest_of(sealed)
    forge(sealed, newest.number, stolen, later=3600)
    assert sealed.wrong() == [(Kind.KEY_WITHDRAWN, newest.number)]
