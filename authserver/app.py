"""The composition root: services, pages and back channel of one deployment, joined to an application.

`create_app` opens no connection and starts no thread; migrations and keys are made by ``authserver init``.
"""

from typing import cast

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .keys.keyring import NoSigningKey
from .keys.ports import Purpose
from .keys.rotation import STATUS_ALGORITHM
from .observability import logs
from .services.composition import compose
from .services.deployment import Deployment
from .settings import Settings, load
from .store.database import connect
from .store.own_schema import OwnSchema
from .store.stores import Stores
from .web import pages
from .web.backchannel.endpoints import backchannel
from .web.front import Front, WSGIApplication


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application of one deployment; *settings* are read from environment and file if not given.

    Raises `authserver.settings.SettingsError` and `authserver.keys.sealing.SealError` in words for the operator.
    """
    settings = settings or load()
    logs.configure(settings.log_level)
    app = Flask("authserver")
    stores = Stores.over(connect(app, settings.url_of_database), session_idle=settings.session_idle)
    deployment = compose(settings, stores)
    app.extensions["authserver"] = deployment
    app.secret_key = deployment.vault.derive("cookies").hex()
    pages.install(app, deployment)
    _install_front(app, deployment)
    return app


def _install_front(app: Flask, deployment: Deployment) -> None:
    schema = OwnSchema(deployment.stores.database)

    def ready() -> bool:
        try:
            return schema.is_there() and bool(deployment.keyring.signing_kid(STATUS_ALGORITHM, Purpose.STATUS))
        except (SQLAlchemyError, NoSigningKey):
            return False

    settings = deployment.settings
    front = Front(
        cast(WSGIApplication, app.wsgi_app),
        backchannel(deployment, ready),
        issuer=settings.issuer,
        trusted_proxies=settings.trusted_proxies,
    )
    app.wsgi_app = front  # type: ignore[method-assign]
