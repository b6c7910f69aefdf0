"""The front door: what this server is, for whoever opens its address."""

from flask import render_template
from flask.typing import ResponseReturnValue

from . import blueprint


@blueprint.get("/")
def door() -> ResponseReturnValue:
    """What this is, and where to go from here."""
    return render_template("door.html")
