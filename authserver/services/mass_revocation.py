"""Revoking many grants: in batches, for a while; whoever asks again goes on where it ended."""

import time

from ..protocol.audit import Event
from ..store.grants import BATCH, GrantStore, Whose


def revoke_all(grants: GrantStore, whose: Whose, event: Event, seconds: float) -> int:
    """End the live grants that *whose* tells until none is left or *seconds* have passed, and return how many.

    Each batch is a transaction of its own with its own *event*: what was ended stays so whatever happens to the rest.
    """
    until, ended = time.monotonic() + seconds, 0
    while True:
        some = grants.revoke_all(whose, event)
        ended += some
        if some < BATCH or time.monotonic() >= until:
            return ended
