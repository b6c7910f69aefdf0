"""The composition root: services, pages and back channel of one deployment, joined to an application.

`create_app` opens no connection and starts no thread; migrations and keys are made by ``authserver init``.
"""

from collections.abc import Callable
from typing import Any, cast

from flask import Flask

from .observability import logs
from .observability.metrics import Metrics
from .services.composition import compose
from .services.deployment import Deployment
from .services.monitoring import spans
from .services.monitoring.figures import Figures
from .settings import Settings, load
from .store.bounds import Bounds
from .store.database import connect
from .store.stores import Stores
from .web import pages
from .web.backchannel.endpoints import backchannel
from .web.front import Front, WSGIApplication
from .web.oauth.at_once import AtOnce
from .web.observed import Observed
from .web.traced import Traced


class Application(Flask):
    """Flask, with a key for cookies that is derived of a secret in the database: so not before the first cookie."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """*func*: none of ours is a coroutine, which Flask would find out anew of fourteen for each page."""
        return func

    @property
    def secret_key(self) -> str:  # type: ignore[override]
        """What signs cookies."""
        deployment: Deployment = self.extensions["authserver"]
        return deployment.vault.derive("cookies").hex()


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application of one deployment; *settings* are read from environment and file if not given.

    Raises `authserver.settings.SettingsError` and `authserver.keys.sealing.SealError` in words for the operator.
    """
    settings = settings or load()
    logs.configure(settings.log_level)
    app = Application("authserver")
    stores = Stores.over(
        connect(app, settings.url_of_database, Bounds.of(settings)), session_idle=settings.session_idle
    )
    app.extensions["authserver.tracer"] = tracer = spans.tracer(settings)
    if tracer is not None:
        spans.of_stores(tracer, stores)
    deployment = compose(settings, stores)
    if tracer is not None:
        spans.of_services(tracer, deployment)
    app.extensions["authserver"] = deployment
    pages.install(app, deployment)
    metrics = Metrics()
    app.extensions["authserver.requests"] = metrics.requests
    app.extensions["authserver.figures"] = figures = Figures(deployment, metrics)
    _install_front(app, deployment, figures, metrics)
    return app


def _install_front(app: Flask, deployment: Deployment, figures: Figures, metrics: Metrics) -> None:
    settings, tracer = deployment.settings, app.extensions["authserver.tracer"]
    front = Front(
        cast(WSGIApplication, app.wsgi_app),
        backchannel(deployment, deployment.readiness, figures.text),
        AtOnce(app, deployment),
        issuer=settings.issuer,
        trusted_proxies=settings.trusted_proxies,
    )
    app.extensions["authserver.front"] = front
    inner: WSGIApplication = front
    if tracer is not None or settings.traceparent_from != "nobody":
        inner = Traced(front, settings, tracer)
    app.wsgi_app = Observed(inner, metrics.requests, lines=settings.access_log)  # type: ignore[method-assign]
