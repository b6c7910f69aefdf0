"""Keys that were withdrawn: what they signed before stays good, what they sign afterwards is somebody else's.

Whoever has such a key can write any moment into what he signs. So the moment counts that lies at the latest: the one
that is said, and those of the seals before, which keys sign that he has not. Whoever writes to the database could clear
the moment of a withdrawal; so that counts too of which an event tells, under the seal of another key.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...keys.keyring import Keyring, kid_of
from ...keys.ports import Purpose
from ...protocol.audit_seal import Recorded

GRACE_SECONDS = 60  # a seal under way is signed by the key that its process knew
TOLD = frozenset({"key.withdrawn", "keys.withdrawn"})


@dataclass(slots=True)
class WithdrawnKeys:
    """What is known of them while the trail is read; ``moments`` in Unix seconds, by the names of keys."""

    moments: dict[str, int] = field(default_factory=dict)
    _latest: int = 0

    @classmethod
    def of(cls, keyring: Keyring) -> "WithdrawnKeys":
        """As the database has them."""
        return cls(keyring.withdrawn(Purpose.AUDIT))

    def noting(self, events: Iterable[Recorded]) -> Iterator[Recorded]:
        """*events*, of which those count that tell of a withdrawal."""
        for recorded in events:
            if recorded.event.name in TOLD:
                detail = recorded.event.detail
                self._note(detail.get("kids") or [detail.get("kid")], recorded.at_ms // 1000)
            yield recorded

    def signed_late(self, signed: str, said_at: int) -> bool:
        """Whether a withdrawn key signed *signed*, which says that it was *said_at*; asked in the trail's order."""
        withdrawn_at = self.moments.get(kid_of(signed))
        late = withdrawn_at is not None and max(said_at, self._latest) > withdrawn_at + GRACE_SECONDS
        if not late:
            self._latest = max(self._latest, said_at)
        return late

    def _note(self, kids: object, at: int) -> None:
        for kid in kids if isinstance(kids, list) else []:
            self.moments[str(kid)] = min(at, self.moments.get(str(kid), at))
