"""Groups of people, of which rules of policy speak: which there are, and who is in one."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission, is_group_name
from ..deployment import deployment
from ..listing import Search
from . import blueprint
from .access import needs

LINES = 50


@blueprint.get("/groups")
@needs(Permission.PEOPLE_READ)
def groups() -> ResponseReturnValue:
    """All of them with how many people each has, or who is in the one that is named."""
    search, name, stores = Search.asked(), request.args.get("name", ""), deployment().stores
    if is_group_name(name):
        page = stores.groups.page(name, search.after, LINES)
        return render_template("admin/group_members.html", name=name, page=page, search=search)
    return render_template("admin/groups.html", sizes=stores.groups.sizes())
