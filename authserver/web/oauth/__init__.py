"""The authorization endpoint: the app's request, the person's decision, the answer (OAuth 2.1 §4.1)."""

from flask import Blueprint

blueprint = Blueprint("oauth", __name__)

from . import authorize  # noqa: E402, F401 - views register themselves on the blueprint
