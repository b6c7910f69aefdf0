"""A person has lost their second factors: all of them are taken from the account, and the password is enough again."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ..deployment import deployment
from ..listing import event
from ..stale import form_of
from . import blueprint
from .access import needs
from .people import whom_to_act_on


@blueprint.get("/person/factors")
@needs(Permission.PEOPLE_EDIT, fresh=True)
def remove_factors() -> ResponseReturnValue:
    """What they are, and what removing them will do."""
    found = whom_to_act_on()
    factors = deployment().stores.factors.of_user(found.id)
    return render_template("admin/remove_factors.html", person=found, factors=factors)


@blueprint.post("/person/factors")
@needs(Permission.PEOPLE_EDIT, fresh=True)
@form_of(remove_factors)
def do_remove_factors() -> ResponseReturnValue:
    """Remove them, and the recovery codes. Done twice, it is done."""
    found = whom_to_act_on()
    deployment().interventions.remove_factors(found, event("factors.removed"))
    return redirect(url_for("admin.person", id=found.id), 303)
