"""Pages: everything that people see, put into a Flask application.

Server-rendered, without scripts: sign-in and the like (``account``), the authorization endpoint (``oauth``) and the
console (``admin``). The modules beside this one hold what all pages share.
"""

from flask import Flask

from ..services.deployment import Deployment
from . import (
    account,
    admin,
    bodies,
    cookies,
    floods,
    headers,
    languages,
    left,
    oauth,
    problems,
    seen,
    signed_in,
    stale,
    staying,
    words,
)


def install(app: Flask, deployment: Deployment) -> None:
    """Install the pages of *deployment* into *app*, whose secret key is set by then or before its first request."""
    app.config.update(SEND_FILE_MAX_AGE_DEFAULT=3600)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    cookies.configure(app, deployment.settings)
    seen.install(app)
    left.install(app)
    headers.install(app, deployment.settings)
    signed_in.install(app)
    staying.install(app)
    floods.install(app)
    bodies.install(app)
    admin.close_to_others(app)
    stale.install(app)
    problems.install(app)
    languages.install(app)
    words.install(app, deployment.settings)
    for blueprint in (account.blueprint, oauth.blueprint, admin.blueprint):
        app.register_blueprint(blueprint)
