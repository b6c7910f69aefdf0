"""A person's own pages: the front door, signing in and out. They know nothing of clients and what those ask for."""

from flask import Blueprint

blueprint = Blueprint("account", __name__)

from . import door, sign_in, sign_out  # noqa: E402, F401 - views register themselves on the blueprint
