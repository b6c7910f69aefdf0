"""A person's own pages: the front door, signing in and out, and the connections that they have let apps have."""

from flask import Blueprint

blueprint = Blueprint("account", __name__)

from . import (  # noqa: E402, F401 - views register themselves on the blueprint
    app_factor,
    connections,
    door,
    factors,
    forgotten,
    invitation,
    own_email,
    own_password,
    passkey_factor,
    providers,
    second_factor,
    security,
    sign_in,
    sign_in_again,
    sign_out,
    upstream,
)
