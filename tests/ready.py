"""Whether a node that a test has started serves by now."""

import httpx2


def is_ready(origin: str) -> bool:
    """Whether the node at *origin* says that it can do its work."""
    try:
        return httpx2.get(f"{origin}/health/ready").status_code == 200
    except httpx2.TransportError:
        return False
