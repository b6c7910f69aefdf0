"""References: the id of an attempt that people read to each other over the phone, ``K7QFM-2XW9D``.

It is made of the attempt by a key, so that every request of the attempt has it without anything being carried along,
and nobody outside can make or guess one.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from .. import pkce
from ..errors import InvalidRequest

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that is taken for something else
MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
LETTERS = ALPHABET.encode() * (256 // len(ALPHABET))  # for each byte the one of its last five bits
HALF = 5
CHARACTERS = 2 * HALF  # 50 bits


class References:
    """Makes the references of one deployment."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        """What *key* gives is secret, and the same on all nodes."""
        self._key = key

    def of_attempt(self, client_id: str, challenge: str) -> str:
        """That of the attempt of a client whose code challenge is *challenge* (RFC 7636 §4.2): each has its own."""
        return self.of("attempt", client_id, challenge)

    def of_exchange(self, client_id: str, verifier: str | None) -> str | None:
        """That of the attempt whose code challenge *verifier* answers; None if it answers none."""
        try:
            return self.of_attempt(client_id, pkce.challenge_of(verifier))
        except InvalidRequest:
            return None

    def of(self, *parts: str) -> str:
        """That of whatever *parts* tell apart from all else."""
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return _written(hmac.digest(self._key(), text.encode("utf-8", "surrogatepass"), hashlib.sha256))


def fresh() -> str:
    """One that belongs to nothing else."""
    return _written(secrets.token_bytes(CHARACTERS))


def read(text: str) -> str | None:
    """The reference that somebody typed, whatever its case, hyphens and letters that look alike; None if it is none."""
    letters = "".join(text.split()).replace("-", "").upper().translate(MEANT)
    if len(letters) != CHARACTERS or not set(letters) <= set(ALPHABET):
        return None
    return f"{letters[:HALF]}-{letters[HALF:]}"


def _written(digest: bytes) -> str:
    letters = digest[:CHARACTERS].translate(LETTERS).decode("ascii")
    return f"{letters[:HALF]}-{letters[HALF:]}"
