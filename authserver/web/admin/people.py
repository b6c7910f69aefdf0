"""People: who can sign in here."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import LINES, Search
from . import blueprint
from .access import needs


@blueprint.get("/people")
@needs(Permission.PEOPLE_READ)
def people() -> ResponseReturnValue:
    """All of them, newest first."""
    search = Search.asked()
    page = deployment().stores.users.page(search.query, search.after, LINES)
    return render_template("admin/people.html", page=page, search=search)
