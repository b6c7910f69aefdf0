"""``authserver serve``: gunicorn with threads, each worker pinned to a core (docs/architecture.md, "Servers")."""

import gc
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from ..app import create_app
from ..keys.keyring import NoSigningKey
from ..keys.ports import Purpose
from ..keys.rotation import STATUS_ALGORITHM
from ..keys.sealing import SealError
from ..observability import shared
from ..outbound.fetch import trusting
from ..services.deployment import Deployment
from ..services.doctor.own_url import OwnUrl
from ..services.maintenance import Kept, Maintenance
from ..services.monitoring import spans
from ..services.monitoring.figures import Figures
from ..settings import Settings, SettingsError, load
from ..store.listening import Listener as Listening
from ..web.metrics import Listener
from . import notifying
from .cores import pin
from .deployment import deployment
from .evenly import FULL, Evenly
from .worker import Worker

DRAINED_SECONDS = 20  # in which what is being answered when a worker stops has to end


def options(settings: Settings) -> dict[str, Any]:
    """Gunicorn's settings for ours; ``config/gunicorn.py`` uses the same."""
    return {
        "bind": settings.bind,
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_class": Worker,
        "keepalive": 30,
        "graceful_timeout": DRAINED_SECONDS + settings.drain_seconds,
        "timeout": 30,
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        "accesslog": None,
        "loglevel": "warning",
        "control_socket_disable": True,
        "on_starting": on_starting,
        "post_worker_init": post_worker_init,
        "child_exit": child_exit,
        "on_exit": on_exit,
    }


def on_starting(server: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """Before there are workers: where they count together, if anybody may see it; and who says that they serve.

    Their collectors leave alone what is loaded by now: each look writes to all that it looks at, and what was written
    to is shared with the master no more.
    """
    gc.collect()
    gc.freeze()
    if load().shows_metrics:
        shared.begin()
    notifying.hold_back()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """After a worker has ended, however: the others leave nothing to it."""
    Evenly(worker.age, worker.cfg.threads).tell(FULL)
    shared.forget(worker.pid)


def on_exit(server: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """After all have."""
    shared.end()


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """In each new worker: take a core of its own, begin what goes on beside; the first one looks at the public URL."""
    found: Deployment = worker.wsgi.extensions["authserver"]
    worker.core = pin() if found.settings.pin_workers else None  # held as long as the worker is there
    found.stores.database.give_up_on_silence()
    if worker.age == 1 and found.settings.looks_at_itself:
        OwnUrl(found.settings.issuer, trusting(found.settings.fetch_ca_file), found.watch.raise_new).start()
    if found.settings.listen_url:
        Listening(found.settings.listen_url, found.stores.epoch).start()
    found.tracing.recorder.start()
    if found.shared_ceilings:
        found.shared_ceilings.start()
    window = found.settings.refresh_retry_window
    figures: Figures = worker.wsgi.extensions["authserver.figures"]
    Maintenance(
        found.stores,
        window,
        found.reaper,
        found.approvals,
        found.rotation,
        Kept.of(found.settings),
        purged=figures.purged,
    ).start()
    found.sealer.start()
    found.streams.start()
    found.watch.start()
    found.delivery.start()
    found.post.start()
    figures.start()
    if (tracer := worker.wsgi.extensions["authserver.tracer"]) is not None:
        tracer.start()
    if address := found.settings.metrics_address:
        Listener(address, figures.text).start()
    notifying.tell(worker.log)


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured by our settings."""

    def __init__(self, settings: Settings) -> None:
        """*settings* are those of the deployment that it serves."""
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hand our options to gunicorn."""
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one worker, made after the fork."""
        return create_app(self._settings)


@click.command()
def serve() -> None:
    """Serve until told to stop. Production puts a TLS proxy in front."""
    found = deployment()
    try:
        spans.tracer(found.settings)
        found.keyring.signing_kid(STATUS_ALGORITHM, Purpose.STATUS)
    except (NoSigningKey, SealError, SettingsError) as lacking:
        raise click.ClickException(str(lacking)) from None
    found.stores.database.close()
    click.echo(f"serving {found.settings.issuer} on {found.settings.bind}")
    Server(found.settings).run()
