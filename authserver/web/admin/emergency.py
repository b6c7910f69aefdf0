"""The emergency: keys are in wrong hands, or nobody knows what is; all that was issued ends at once."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.role import Permission
from ...services.mass_revocation import revoke_all
from ...store.grants import Whose
from ..deployment import deployment
from ..listing import event
from ..stale import again, form_of
from . import blueprint
from .access import needs
from .grants_of import MOST_COUNTED, SECONDS, SO_FAR
from .keys import rotation

EVERYTHING = Whose()


@blueprint.get("/emergency")
@needs(Permission.EMERGENCY, fresh=True)
def emergency() -> ResponseReturnValue:
    """What withdrawing all keys will do, and what revoking every grant would do beyond that."""
    return render_template("admin/emergency.html", live=_live(), most=MOST_COUNTED)


@blueprint.post("/emergency")
@needs(Permission.EMERGENCY, fresh=True)
@form_of(emergency)
def do_emergency() -> ResponseReturnValue:
    """Withdraw all keys, which ends every access token; then revoke every grant, if the form says so.

    What a page has no time for, the next one goes on with: pressed again, this one would withdraw the new keys.
    """
    rotation().replace_all()
    if request.form.get("grants") == "yes" and not _revoke()[1]:
        return redirect(url_for("admin.revoke_everything"), 303)
    return redirect(url_for("admin.keys"), 303)


@blueprint.get("/emergency/grants")
@needs(Permission.EMERGENCY, fresh=True)
def revoke_everything() -> ResponseReturnValue:
    """How many grants there are, and what revoking all of them will do."""
    return render_template("admin/revoke_everything.html", live=_live(), most=MOST_COUNTED)


@blueprint.post("/emergency/grants")
@needs(Permission.EMERGENCY, fresh=True)
@form_of(revoke_everything)
def do_revoke_everything() -> ResponseReturnValue:
    """Revoke every grant, for as long as a page may take; then tell how many, if some are left."""
    ended, done = _revoke()
    return redirect(url_for("admin.grants"), 303) if done else again(revoke_everything, SO_FAR.format(ended), 200)


def _revoke() -> tuple[int, bool]:
    """Revoke for a while; how many, and whether none is left."""
    grants = deployment().stores.grants
    ended = revoke_all(grants, EVERYTHING, event("grants.revoked"), SECONDS)
    return ended, not grants.count_live(EVERYTHING, 1)


def _live() -> int:
    return deployment().stores.grants.count_live(EVERYTHING, MOST_COUNTED)
