"""Where a key-encryption key may be: in a file, in a token that it never leaves, behind a program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from authserver.keys.sealing import SealError
from authserver.keys.wrapping import KeyEncryptionKey, create_key_file, generated, key_encryption_key

MODULE = next(Path("/usr/lib").rglob("libsofthsm2.so"), None)
PIN = "1234"
MAKE_KEY = f"""
import pkcs11
with pkcs11.lib({str(MODULE)!r}).get_token(token_label="authserver").open(rw=True, user_pin={PIN!r}) as session:
    session.generate_key(pkcs11.KeyType.AES, 256, label="kek", store=True)
"""
FORKS = """
import os, pathlib, sys
from authserver.keys.wrapping import key_encryption_key
wrapped = key_encryption_key(sys.argv[1], pathlib.Path()).wrap(b"x" * 32)
child = os.fork()
same = key_encryption_key(sys.argv[1], pathlib.Path()).unwrap(wrapped) == b"x" * 32
if not child:
    os._exit(not same)
sys.exit(not same or os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
SERVICE = """#!/bin/sh
# A service that is none: it writes what it is given from right to left.
read -r said
case "$1$2" in
  --key=7wrap) echo "wrapped:$(echo "$said" | rev)" ;;
  --key=7unwrap) echo "${said#wrapped:}" | rev ;;
  *) echo "no such key" >&2; exit 3 ;;
esac
"""


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token of SoftHSM with a key in it, as a PKCS#11 URI."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    (tmp_path / "pin").write_text(f"{PIN}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    new = ("--init-token", "--free", "--label", "authserver", "--pin", PIN, "--so-pin", "5678")
    subprocess.run(("softhsm2-util", *new), check=True, capture_output=True)
    subprocess.run((sys.executable, "-c", MAKE_KEY), check=True)
    return f"pkcs11:token=authserver;object=kek?module-path={MODULE}&pin-source=file:{tmp_path / 'pin'}"


@pytest.fixture
def service(tmp_path: Path) -> str:
    """A program that asks a key management service."""
    program = tmp_path / "kms"
    program.write_text(SERVICE)
    program.chmod(0o700)
    return f"command:{program} --key=7"


def keeps(kek: KeyEncryptionKey) -> bool:
    secret = os.urandom(32)
    wrapped = kek.wrap(secret)
    return kek.unwrap(wrapped) == secret and secret not in wrapped


@pytest.mark.requirement("TK-12")
def test_a_key_is_read_from_the_setting_from_a_file_and_from_the_home_folder(tmp_path):
    text = generated()
    (tmp_path / "kek").touch(0o600)
    (tmp_path / "kek").write_text(f"{text}\n")
    create_key_file(tmp_path / "home")
    given, named, found = (key_encryption_key(each, tmp_path / "home") for each in (text, f"file:{tmp_path}/kek", ""))
    assert keeps(given)
    assert named == given
    assert found != given
    assert text not in given.name
    with pytest.raises(SealError, match="is not the key"):
        found.unwrap(given.wrap(b"x" * 32))


@pytest.mark.requirement("TK-12")
def test_a_key_in_a_token_is_used_there_in_a_process_and_in_what_it_forks(token, tmp_path):
    kek = key_encryption_key(token, tmp_path)
    assert keeps(kek)
    assert PIN not in repr(kek)
    subprocess.run((sys.executable, "-c", FORKS, token), check=True)
    wrapped = bytearray(kek.wrap(b"x" * 32))
    wrapped[-1] ^= 1
    with pytest.raises(SealError):
        kek.unwrap(bytes(wrapped))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("object=kek", "object=other"), "other: NoSuchKey"),
        (("token=authserver", "token=gone"), "gone kek: NoSuchToken"),
        (("?module-path=", "?module-path=/none"), "module-path cannot be read"),
        (("pin-source=file:", "pin-source=file:/none"), "pin-source cannot be read"),
        ((";object=kek", ""), "lacks object"),
        ((";object=kek", ";object=kek;slot-id=1"), "does not know slot-id"),
    ],
)
def test_what_is_wrong_about_a_token_is_told(token, tmp_path, wrong, told):
    with pytest.raises(SealError, match=told):
        key_encryption_key(token.replace(*wrong), tmp_path).wrap(b"x" * 32)


@pytest.mark.requirement("TK-12")
def test_a_key_behind_a_program_is_asked_in_text(service, tmp_path):
    kek = key_encryption_key(service, tmp_path)
    assert keeps(kek)
    assert kek.wrap(b"x" * 32).startswith(b"wrapped:")
    assert kek.name == f"command {tmp_path / 'kms'}"


@pytest.mark.parametrize(
    ("configured", "told"),
    [
        ("command:kms", "path of a program"),
        ("command:", "path of a program"),
        ("command:/none/at/all", "FileNotFoundError"),
        ("command:/bin/false", "ended with 1"),
        ("command:/bin/true", "answered 0 bytes"),
    ],
)
def test_what_is_wrong_about_a_program_is_told(tmp_path, configured, told):
    with pytest.raises(SealError, match=told):
        key_encryption_key(configured, tmp_path).wrap(b"x" * 32)


def test_what_the_program_complains_about_is_told(service, tmp_path):
    with pytest.raises(SealError, match="wrap ended with 3: no such key"):
        key_encryption_key(service.replace("=7", "=8"), tmp_path).wrap(b"x" * 32)
    with pytest.raises(SealError, match="not base64"):
        key_encryption_key(service, tmp_path).unwrap(b"wrapped:!")
