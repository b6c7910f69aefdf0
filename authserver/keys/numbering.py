"""The numbers that tokens show: which status list, and where on it, by a keyed permutation (TK-10).

Families are counted; to show the count would tell how many there are and who came after whom. A *position* (the count)
is cut in two: its high part chooses the *shard*, its low part the *index* within. Each half goes through a permutation
of 2^20 numbers that only the holder of the key can tell from chance, another one for each resource and each shard.
It is a Feistel network, so it is a bijection whatever the round function is: no two families share an index.
"""

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
        self._placed = lru_cache(maxsize=16_384)(self._place)  # a family's tokens have the same one after the other
        self._shard = lru_cache(maxsize=4096)(self._permuted_shard)
        # Families that are made one after the other share shard and resource: a round has a thousand inputs there.
        self._mixed = lru_cache(maxsize=8 * ROUNDS << HALF)(self._mix)

    def place(self, resource: str, position: int) -> tuple[int, int]:
        """The shard and the index on it that *position* has among the lists of *resource*."""
        return self._placed(resource, position)

    def _place(self, resource: str, position: int) -> tuple[int, int]:
        block, low = divmod(position, SIZE)
        shard = self._shard(resource, block)
        return shard, self._permute(low, f"index {shard} {resource}")

    def shards(self, resource: str, reach: int) -> Iterator[int]:
        """The shards of *resource* for all positions up to *reach*."""
        return (self._shard(resource, block) for block in range(reach // SIZE + 1))

    def _permuted_shard(self, resource: str, block: int) -> int:
        return self._permute(block, f"shard {resource}")

    def _permute(self, number: int, tweak: str) -> int:
        if not 0 <= number < SIZE:
            raise ValueError("there are no more numbers")
        left, right = number >> HALF, number & MASK
        for turn in range(ROUNDS):
            left, right = right, left ^ self._mixed(tweak, turn, right)
        return left << HALF | right

    def _mix(self, tweak: str, turn: int, half: int) -> int:
        """The round function: a number below 2^10 that the key, and what is given, decide."""
        said = tweak.encode() + bytes((0, turn)) + half.to_bytes(2)
        return int.from_bytes(blake2b(said, key=self._secret(), digest_size=8).digest()) & MASK
