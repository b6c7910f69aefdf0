"""The groups of a person, of which rules of policy speak."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.msg import Filled, msg
from ...protocol.role import MOST_GROUP_NAME, Permission, is_group_name
from ..deployment import deployment
from ..listing import event
from ..stale import again, form_of
from . import blueprint
from .access import needs
from .people import whom_to_act_on

CHANGED = msg(
    "Somebody else has put this person into other groups since this page was shown. Nothing was done; look again."
)
NO_NAME = Filled(msg("A group's name has 1 to {} printable characters. Nothing was done."), MOST_GROUP_NAME)


@blueprint.get("/person/groups")
@needs(Permission.PEOPLE_ROLES, fresh=True, typed=True)
def change_groups() -> ResponseReturnValue:
    """The groups that they are in, to be edited, and those that there are."""
    found, groups = whom_to_act_on(), deployment().stores.groups
    seen = "\n".join(groups.of(found.id))
    typed = request.form.get("groups", seen)
    return render_template("admin/change_groups.html", person=found, seen=seen, groups=typed, known=groups.sizes())


@blueprint.post("/person/groups")
@needs(Permission.PEOPLE_ROLES, fresh=True, typed=True)
@form_of(change_groups)
def do_change_groups() -> ResponseReturnValue:
    """Have them in the groups of the form, if they are still in those that the page showed."""
    found, wanted = whom_to_act_on(), _lines("groups")
    if not all(map(is_group_name, wanted)):
        return again(change_groups, NO_NAME, 400)
    if not deployment().stores.groups.exchange(found.id, _lines("seen"), wanted, event("group.joined")):
        return again(change_groups, CHANGED, 409)
    return redirect(url_for("admin.person", id=found.id), 303)


def _lines(name: str) -> set[str]:
    lines = (line.strip() for line in request.form.get(name, "").splitlines())
    return {line for line in lines if line}
