"""The least that a WSGI application can answer, under gunicorn as ours runs: what polling costs without us."""

import os
from collections.abc import Callable
from typing import Any

from authserver.cli.serve import options
from authserver.settings import load

ETAG = '"bare"'


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer that nothing has changed."""
    start_response("304 Not Modified", [("ETag", ETAG)])
    return []


def _pin(worker: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[worker.age % len(cores)]})


globals().update(
    options(load()) | {"worker_class": "gthread", "bind": os.environ["BARE_BIND"], "post_worker_init": _pin}
)
