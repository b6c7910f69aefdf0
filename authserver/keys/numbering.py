"""The numbers that tokens show: which status list, and where on it, by a keyed permutation (TK-10).

Families are counted; to show the count would tell how many there are and who came after whom. A *position* (the count)
is cut in two: its high part chooses the *shard*, its low part the *index* within. Each half goes through a permutation
of 2^20 numbers that only the holder of the key can tell from chance, another one for each resource and each shard.
It is a Feistel network, so it is a bijection whatever the round function is: no two families share an index.
"""

from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import blake2b, sha256

from ..protocol.credential import base64url

BITS = 20
SIZE = 1 << BITS
"""Entries of a shard: 128 KiB, most of them zero."""

HALF = BITS // 2
MASK = (1 << HALF) - 1
ROUNDS = 8
UNKNOWN = 0xFFFF  # no round gives it
TAG_CHARACTERS = 22


@lru_cache(maxsize=4096)
def tag(resource: str) -> str:
    """What stands for *resource* in the URLs of its lists: the SHA-256 of its identifier, 128 bits as base64url."""
    return base64url(sha256(resource.encode()).digest())[:TAG_CHARACTERS]


class Numbering:
    """Permutes positions under one secret."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        """*secret* gives 32 bytes, and the same for the life of a deployment."""
        self._secret = secret
        self._shard = lru_cache(maxsize=4096)(self._permuted_shard)
        # Families that are made one after the other share shard and resource.
        self._rounds = lru_cache(maxsize=256)(self._new_rounds)  # of 16 kB each

    def place(self, resource: str, position: int) -> tuple[int, int]:
        """The shard and the index on it that *position* has among the lists of *resource*."""
        block, low = divmod(position, SIZE)
        shard = self._shard(resource, block)
        return shard, _permuted(low, self._rounds(f"index {shard} {resource}"))

    def shards(self, resource: str, reach: int) -> Iterator[int]:
        """The shards of *resource* for all positions up to *reach*."""
        return (self._shard(resource, block) for block in range(reach // SIZE + 1))

    def _permuted_shard(self, resource: str, block: int) -> int:
        return _permuted(block, self._new_rounds(f"shard {resource}"))

    def _new_rounds(self, tweak: str) -> "_Rounds":
        return _Rounds(self._secret(), tweak)


class _Rounds:
    """The round functions under one *key* and *tweak*: a thousand inputs each, of which each is worked out once."""

    def __init__(self, key: bytes, tweak: str) -> None:
        self._key = key
        self._tweak = tweak.encode()
        self._known = array("H", [UNKNOWN]) * (ROUNDS << HALF)

    def mixed(self, turn: int, half: int) -> int:
        """A number below 2^10 that the key, and what is given, decide."""
        place = turn << HALF | half
        found = self._known[place]
        if found == UNKNOWN:
            said = self._tweak + bytes((0, turn)) + half.to_bytes(2)
            found = int.from_bytes(blake2b(said, key=self._key, digest_size=8).digest()) & MASK
            self._known[place] = found
        return found


def _permuted(number: int, rounds: _Rounds) -> int:
    if not 0 <= number < SIZE:
        raise ValueError("there are no more numbers")
    left, right = number >> HALF, number & MASK
    for turn in range(ROUNDS):
        left, right = right, left ^ rounds.mixed(turn, right)
    return left << HALF | right
