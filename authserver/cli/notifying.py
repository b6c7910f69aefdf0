"""What systemd is told (sd_notify(3)): that the node serves, as soon as a worker does.

gunicorn's master would say so before it has a worker, by the address that systemd leaves in the environment.
"""

import os
from typing import Any

from gunicorn import systemd

ADDRESS = "NOTIFY_SOCKET"
_held: dict[str, str] = {}


def hold_back() -> None:
    """In the master, before it says anything: take the address, for the workers that it forks."""
    if address := os.environ.pop(ADDRESS, None):
        _held[ADDRESS] = address


def tell(log: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """In each worker, when it can answer. To say it again means nothing to systemd."""
    if _held:
        os.environ.update(_held)
        systemd.sd_notify("READY=1", log, unset_environment=True)
