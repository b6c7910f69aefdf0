"""A person's own pages: the front door, signing in and out, and the connections that they have let apps have."""

from flask import Blueprint

blueprint = Blueprint("account", __name__)

from . import (  # noqa: E402 - views register themselves on the blueprint
    app_factor,  # noqa: F401
    connections,  # noqa: F401
    door,  # noqa: F401
    factors,  # noqa: F401
    passkey_factor,  # noqa: F401
    second_factor,  # noqa: F401
    sign_in,  # noqa: F401
    sign_in_again,  # noqa: F401
    sign_out,  # noqa: F401
)
