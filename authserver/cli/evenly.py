"""Connections, evenly: a worker that has one for each of its threads leaves new ones to another that has fewer.

All workers wait at the same port, and who wakes first takes what has come: of 16 connections one may take 12, and has
too few threads for them, while those of another have nothing to do. So each tells the others how many it has; that one
was killed, the master tells.
"""

import mmap
import socket
import time
from struct import Struct

from .sockets import is_waited_at

PLACES = 256  # workers, by the order in which they began; of two that share one, one is not seen
PLACE = Struct("dq")  # when its worker was there last, by the machine's own clock (s), and how many connections it has
ALL = Struct("dq" * PLACES)
AWAY_SECONDS = 3.0  # a worker that has said nothing for so long takes no connections
FULL = 2**31
PAUSE_SECONDS, PAUSES_SECONDS = 0.0003, 0.003  # that another has to take a connection: until the next look, and in all
_board = mmap.mmap(-1, ALL.size)  # what all processes that are forked of this one see


class Evenly:
    """One worker's share."""

    def __init__(self, number: int, enough: int) -> None:
        """*number* tells the worker from others of this server; *enough* are as many connections as it has threads."""
        self._place = number % PLACES
        self._enough = enough

    def tell(self, connections: int) -> None:
        """That this worker is there, and has so many *connections*; `FULL` if it takes no more."""
        PLACE.pack_into(_board, self._place * PLACE.size, time.monotonic(), connections)

    def leaves(self, listener: socket.socket, connections: int) -> bool:
        """Whether another worker took what waits at *listener*, where this one has so many *connections*."""
        if connections < self._enough or not self._another_has_fewer(connections):
            return False
        until = time.monotonic() + PAUSES_SECONDS
        while time.monotonic() < until:  # a pause can take longer than it is meant to: threads of ours go first
            time.sleep(PAUSE_SECONDS)
            if not is_waited_at(listener):
                return True
        return False

    def _another_has_fewer(self, connections: int) -> bool:
        lately, said = time.monotonic() - AWAY_SECONDS, ALL.unpack_from(_board)
        return any(
            said[2 * place] > lately and said[2 * place + 1] < connections
            for place in range(PLACES)
            if place != self._place
        )
