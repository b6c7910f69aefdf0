"""The deployment that the running request belongs to."""

from typing import cast

from flask import current_app

from ..services.deployment import Deployment

EXTENSION = "authserver"


def deployment() -> Deployment:
    """The deployment of the current Flask application."""
    return cast(Deployment, current_app.extensions[EXTENSION])
