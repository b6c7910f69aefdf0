"""The deployment that the running request belongs to."""

from typing import cast

from flask import current_app

from ..services.deployment import Deployment
from .local import itself

EXTENSION = "authserver"


def deployment() -> Deployment:
    """The deployment of the current Flask application."""
    return cast(Deployment, itself(current_app).extensions[EXTENSION])
