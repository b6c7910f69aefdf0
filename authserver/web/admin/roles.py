"""Roles: what each of them opens, and giving a person another one."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.msg import msg
from ...protocol.role import Permission, Role, opening
from ...store.user import User
from ...store.users import LastOwner
from ..deployment import deployment
from ..listing import event
from ..signed_in import visitor
from ..stale import again, form_of
from . import blueprint
from .access import needs
from .people import whom_to_act_on
from .person_state import LAST_OWNER

CHANGED = msg(
    "Somebody else has given this person another role since this page was shown. Nothing was done; look again."
)
NONE_CHOSEN = msg("Choose one of these roles.")
ROLES = {
    Role.OWNER: msg("everything, and alone makes owners and admins and acts on them"),
    Role.ADMIN: msg("everything but that"),
    Role.AUDITOR: msg("sees everything, changes nothing"),
    Role.SUPPORT: msg("sees people, apps and grants; ends a grant or a session"),
    Role.MEMBER: msg("uses apps; does not see the console"),
}
ACTS = {
    Permission.OVERVIEW_READ: msg("see the overview"),
    Permission.ALERTS_READ: msg("see alerts"),
    Permission.ALERTS_DISMISS: msg("dismiss alerts"),
    Permission.APPROVALS_READ: msg("see what waits for a decision"),
    Permission.APPROVALS_DECIDE: msg("approve and deny what waits"),
    Permission.CLIENTS_READ: msg("see clients"),
    Permission.CLIENTS_EDIT: msg("make, change and suspend clients"),
    Permission.CLIENTS_DELETE: msg("delete clients"),
    Permission.CLIENTS_SECRETS: msg("give clients new secrets and other keys"),
    Permission.CLIENTS_ALLOW: msg("say what a client may get for itself"),
    Permission.GRANTS_READ: msg("see grants"),
    Permission.GRANTS_REVOKE: msg("revoke a grant"),
    Permission.GRANTS_REVOKE_ALL: msg("revoke all grants of a person, a client or a server"),
    Permission.POLICIES_READ: msg("see the rules of policy, and have them explained"),
    Permission.POLICIES_EDIT: msg("change the rules of policy"),
    Permission.SERVERS_READ: msg("see MCP servers and their tools"),
    Permission.SERVERS_EDIT: msg("make, change and remove MCP servers"),
    Permission.CALLS_READ: msg("see tool calls"),
    Permission.TRACES_READ: msg("see why somebody could not connect"),
    Permission.PEOPLE_READ: msg("see people and their sessions"),
    Permission.PEOPLE_INVITE: msg("invite people (an admin: no owner, no admin), and take invitations back"),
    Permission.PEOPLE_EDIT: msg("disable people, let them in again, and remove second factors that they lost"),
    Permission.PEOPLE_ROLES: msg("give roles (an admin: not owner, not admin) and put people into groups"),
    Permission.SESSIONS_END: msg("end sessions"),
    Permission.KEYS_READ: msg("see keys"),
    Permission.KEYS_ROTATE: msg("rotate keys"),
    Permission.EMERGENCY: msg("withdraw all keys, revoke everything"),
    Permission.AUDIT_READ: msg("see the audit trail"),
    Permission.SETTINGS_READ: msg("see settings"),
}


@blueprint.get("/roles")
@needs(Permission.PEOPLE_READ)
def roles() -> ResponseReturnValue:
    """The table: each act, and which roles may do it."""
    lines = [(ACTS[permission], opening(permission)) for permission in Permission]
    return render_template("admin/roles.html", roles=ROLES, lines=lines)


@blueprint.get("/person/role")
@needs(Permission.PEOPLE_ROLES, fresh=True)
def change_role() -> ResponseReturnValue:
    """Which roles the visitor may give, and what each means; the form carries the role that was seen."""
    return render_template("admin/change_role.html", person=whom_to_act_on(), roles=to_give())


@blueprint.post("/person/role")
@needs(Permission.PEOPLE_ROLES, fresh=True)
@form_of(change_role)
def do_change_role() -> ResponseReturnValue:
    """Give the role, if the person still has the one that the page showed."""
    found, wanted = whom_to_act_on(), request.form.get("role", "")
    if wanted not in to_give():
        return again(change_role, NONE_CHOSEN, 400)
    if request.form.get("seen") != found.role:
        return again(change_role, CHANGED, 409)
    return _give(found, Role(wanted))


def _give(found: User, role: Role) -> ResponseReturnValue:
    try:
        given = deployment().stores.users.set_role(found.id, role, found.role, event("user.role_changed"))
    except LastOwner:
        return again(change_role, LAST_OWNER, 409)
    if not given:
        return again(change_role, CHANGED, 409)
    return redirect(url_for("admin.person", id=found.id), 303)


def to_give() -> dict[Role, str]:
    """The roles that the visitor may give, and what each opens."""
    person = visitor()
    return {role: said for role, said in ROLES.items() if person and person.user.role.stands_over(role)}
