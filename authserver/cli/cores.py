"""A core for each worker: two unpinned ones serve less than one pinned, as the interpreter's lock goes between cores.

Whichever server of the machine a worker is of, it takes a core that the fewest have. A core is held by a name in
Linux's abstract namespace (unix(7)), which the system frees as its process ends, however that is. Containers with a
network of their own do not see each other's names. Each host name begins at another core, by which two of them mostly
share some nevertheless: the setting ``pin_workers`` leaves it to the system there.
"""

import os
import socket
import zlib
from itertools import product

NAME = "mcp-authserver core"
MOST_TOGETHER = 64  # workers on one core, and then there is no counting any more


def pin(name: str = NAME) -> socket.socket | None:
    """Have this thread, and those that it starts, run on one core; what is returned holds it until it is closed.

    None, and nothing is done, where the system has no such thing, or no place is left. Cores are shared with whoever
    uses the same *name*.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    first = zlib.crc32(socket.gethostname().encode()) % len(cores)
    for place, core in product(range(MOST_TOGETHER), [*cores[first:], *cores[:first]]):
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(f"\0{name} {core} {place}")
        except OSError:  # somebody has it
            held.close()
            continue
        os.sched_setaffinity(0, {core})
        return held
    return None
