"""The composition root: services, pages and back channel of one deployment, joined to an application.

`create_app` opens no connection and starts no thread; migrations and keys are made by ``authserver init``.
"""

from typing import cast

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .keys.keyring import NoSigningKey
from .keys.ports import Purpose
from .keys.rotation import STATUS_ALGORITHM
from .keys.sealing import SealError
from .observability import logs
from .services.composition import compose
from .services.deployment import Deployment
from .settings import Settings, load
from .store.database import connect
from .store.stores import Stores
from .web import pages
from .web.backchannel.endpoints import backchannel
from .web.front import Front, WSGIApplication


class Application(Flask):
    """Flask, with a key for cookies that is derived of a secret in the database: so not before the first cookie."""

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
    stores = Stores.over(connect(app, settings.url_of_database), session_idle=settings.session_idle)
    deployment = compose(settings, stores)
    app.extensions["authserver"] = deployment
    pages.install(app, deployment)
    _install_front(app, deployment)
    return app


def _install_front(app: Flask, deployment: Deployment) -> None:
    def ready() -> bool:
        try:
            return bool(deployment.keyring.signing_kid(STATUS_ALGORITHM, Purpose.STATUS))
        except (SQLAlchemyError, NoSigningKey, SealError):
            return False

    settings = deployment.settings
    front = Front(
        cast(WSGIApplication, app.wsgi_app),
        backchannel(deployment, ready),
        issuer=settings.issuer,
        trusted_proxies=settings.trusted_proxies,
    )
    app.wsgi_app = front  # type: ignore[method-assign]
