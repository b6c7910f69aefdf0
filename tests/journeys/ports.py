"""Ports for servers that a test starts."""

import errno
import random
import socket

# Below what Linux gives to outgoing connections: a port that is free now is not taken by one of those a moment later.
CANDIDATES = range(20_000, 32_000)
LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def free_port() -> int:
    """A port that nothing on loopback has."""
    while True:
        port = random.choice(CANDIDATES)  # noqa: S311 - nothing secret about it
        if not any(_is_taken(family, address, port) for family, address in LOOPBACK):
            return port


def _is_taken(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.bind((address, port))
    except OSError as problem:
        return problem.errno == errno.EADDRINUSE  # another one: this machine has no such address
    return False
