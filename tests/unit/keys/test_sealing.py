"""What rests encrypted opens only with the right key, in the right place."""

import base64
import os

import pytest
from cryptography.exceptions import InvalidTag

from authserver.keys.envelope import SuccessorEnvelope
from authserver.keys.sealing import OneRoot, SealError, Vault
from authserver.keys.wrapping import FILE_NAME, create_key_file, key_encryption_key
from authserver.protocol.credential import digest


@pytest.mark.requirement("TK-12")
def test_a_sealed_key_opens_with_its_own_context_and_kek_only():
    safe = Vault(OneRoot(os.urandom(32)))
    sealed = safe.seal(b"private key", "kid-1")
    assert b"private key" not in sealed
    assert safe.open(sealed, "kid-1") == b"private key"
    for other, context in ((safe, "kid-2"), (Vault(OneRoot(os.urandom(32))), "kid-1")):
        with pytest.raises(SealError):
            other.open(sealed, context)


@pytest.mark.requirement("TK-12")
def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path):
    home = tmp_path / "home"
    assert create_key_file(home)
    first = (home / FILE_NAME).read_bytes()
    assert not create_key_file(home)
    assert (home / FILE_NAME).read_bytes() == first
    assert (home / FILE_NAME).stat().st_mode & 0o777 == 0o600
    (home / FILE_NAME).chmod(0o644)
    with pytest.raises(SealError, match="owner"):
        key_encryption_key("", home)


def test_a_missing_or_short_kek_is_told_with_the_way_out(tmp_path):
    with pytest.raises(SealError, match="authserver init"):
        key_encryption_key("", tmp_path)
    with pytest.raises(SealError, match="32 bytes"):
        key_encryption_key(base64.urlsafe_b64encode(b"short").decode(), tmp_path)


@pytest.mark.requirement("TK-4", "TK-6")
def test_only_the_holder_of_the_presented_token_can_open_its_successor():
    envelope = SuccessorEnvelope()
    sealed = envelope.seal("successor", presented="old", family_id="f1")
    known = digest("successor")
    assert envelope.open(sealed, presented="old", family_id="f1", successor_digest=known) == "successor"
    for presented, family, successor in (("other", "f1", known), ("old", "f2", known), ("old", "f1", digest("x"))):
        with pytest.raises(InvalidTag):
            envelope.open(sealed, presented=presented, family_id=family, successor_digest=successor)
