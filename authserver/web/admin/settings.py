"""Settings: what is in force, and where it comes from. They are changed there, not here."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ...settings.told import told
from ..deployment import deployment
from . import blueprint
from .access import needs


@blueprint.get("/settings")
@needs(Permission.SETTINGS_READ)
def settings() -> ResponseReturnValue:
    """All of them, by what they are about."""
    in_force = deployment().settings
    return render_template("admin/settings.html", groups=told(in_force), file=in_force.file)
