"""Revoking many grants: in batches, for a while; whoever asks again goes on where it ended.

What ends with its grants, such as a client, would hold everybody up if it had a million of them: most go before, so.
"""

import time

from ..protocol.audit import Event
from ..store.grants import BATCH, GrantStore, Whose
from ..store.users import UserStore


def revoke_all(grants: GrantStore, whose: Whose, event: Event, seconds: float) -> int:
    """End the live grants that *whose* tells until none is left or *seconds* have passed, and return how many.

    Each batch is a transaction of its own with its own *event*: what was ended stays so whatever happens to the rest.
    """
    until, ended = time.monotonic() + seconds, 0
    while True:
        some = grants.revoke_all(whose, event)
        ended += some
        if not some or time.monotonic() >= until:
            return ended


def few_left(grants: GrantStore, whose: Whose, event: Event, seconds: float) -> tuple[int, bool]:
    """Revoke until so few are left that they can end in one transaction with their holder, for *seconds* at the most.

    Returns how many were revoked, and whether few are left by now.
    """
    if grants.count_live(whose, BATCH + 1) <= BATCH:
        return 0, True
    ended = revoke_all(grants, whose, event, seconds)
    return ended, grants.count_live(whose, BATCH + 1) <= BATCH


def lock_out(users: UserStore, user_id: str, event: Event, seconds: float) -> bool:
    """Disable a person: at once, by their own state. False if they are disabled, or there is no such person.

    What they held ends in batches, here for *seconds*; what is left then, each node's sweep ends. Raises `LastOwner`.
    """
    if not users.set_disabled(user_id, True, event):
        return False
    end_rest(users, user_id, event.about(name="grants.revoked"), seconds)
    return True


def let_in(users: UserStore, user_id: str, event: Event, seconds: float) -> bool:
    """Enable a person, once all that they held has ended. False if they are enabled, or there is no such person.

    Raises `StillEnding` if that takes more than *seconds*.
    """
    end_rest(users, user_id, event.about(name="grants.revoked"), seconds)
    return users.set_disabled(user_id, False, event)


def end_rest(users: UserStore, user_id: str, event: Event, seconds: float) -> None:
    """End what a person still holds who was locked out with very many grants, for *seconds* at the most."""
    until = time.monotonic() + seconds
    while users.end_more(user_id, event) and time.monotonic() < until:
        pass
