"""gunicorn as ours runs in it: two workers of eight threads, each worker on a core of its own."""

import os
from typing import Any


def _pin(worker: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[worker.age % len(cores)]})


globals().update(
    workers=2,
    threads=8,
    worker_class="gthread",
    wsgi_app="django.core.wsgi:get_wsgi_application()",
    keepalive=30,
    accesslog=None,
    loglevel="warning",
    control_socket_disable=True,
    post_worker_init=_pin,
)
