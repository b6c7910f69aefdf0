"""The verbs that PostgreSQL carries out in a single statement, which is also the transaction: one trip, one commit.

Each statement has the same shape. ``moment`` reads the clock once. The first UPDATE is the decision: its WHERE holds
every condition, so of concurrent attempts the first hits; the others wait for its row, find it changed, and hit
nothing. What follows from the hit (family, successor, audit row) is inserted from what the UPDATE returned. The
loser's own snapshot is older than the winner's commit, so why it missed is asked in a second statement. What it
needs to know is looked up by primary key, each by what the one before told (see `authority`).
"""

from .approve_again import approve_again
from .end_family import end_family, end_family_of
from .issue import issue
from .redeem import redeem
from .register import register
from .rotate import rotate

__all__ = ["approve_again", "end_family", "end_family_of", "issue", "redeem", "register", "rotate"]
