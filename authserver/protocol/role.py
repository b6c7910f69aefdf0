"""Roles: which acts of administration are open to whom. One table says it all; console, command and API ask it.

A person has one role. What it opens are permissions, which each page and each act names for itself. Groups open nothing
here: they are names that rules of policy use for some people (docs/policies.md).
"""

from enum import StrEnum

from .msg import msg

MOST_GROUP_NAME = 200


def is_group_name(text: str) -> bool:
    """Whether a group can be called *text*."""
    return 0 < len(text) <= MOST_GROUP_NAME and text.isprintable() and text == text.strip()


class Permission(StrEnum):
    """A kind of act. What reads is named ``….read``."""

    OVERVIEW_READ = "overview.read"
    ALERTS_READ = "alerts.read"
    ALERTS_DISMISS = "alerts.dismiss"
    APPROVALS_READ = "approvals.read"
    APPROVALS_DECIDE = "approvals.decide"
    CLIENTS_READ = "clients.read"
    CLIENTS_EDIT = "clients.edit"
    CLIENTS_DELETE = "clients.delete"
    CLIENTS_SECRETS = "clients.secrets"
    CLIENTS_ALLOW = "clients.allow"
    GRANTS_READ = "grants.read"
    GRANTS_REVOKE = "grants.revoke"
    GRANTS_REVOKE_ALL = "grants.revoke_all"
    POLICIES_READ = "policies.read"
    POLICIES_EDIT = "policies.edit"
    SERVERS_READ = "servers.read"
    SERVERS_EDIT = "servers.edit"
    CALLS_READ = "calls.read"
    TRACES_READ = "traces.read"
    PEOPLE_READ = "people.read"
    PEOPLE_INVITE = "people.invite"
    PEOPLE_EDIT = "people.edit"
    PEOPLE_ROLES = "people.roles"
    SESSIONS_END = "sessions.end"
    KEYS_READ = "keys.read"
    KEYS_ROTATE = "keys.rotate"
    EMERGENCY = "emergency"
    AUDIT_READ = "audit.read"
    SETTINGS_READ = "settings.read"


class Role(StrEnum):
    """What a person is here. A *member* uses apps, and opens nothing of the console."""

    OWNER = msg("owner")
    ADMIN = msg("admin")
    AUDITOR = msg("auditor")
    SUPPORT = msg("support")
    MEMBER = msg("member")

    def may(self, permission: Permission) -> bool:
        """Whether this role opens *permission*."""
        return permission in PERMISSIONS[self]

    @property
    def is_high(self) -> bool:
        """Whether only an owner gives or takes it, and acts on whoever has it."""
        return self in {Role.OWNER, Role.ADMIN}

    def stands_over(self, other: "Role") -> bool:
        """Whether this role may act on a person who has *other*, and give them it, if it may do such a thing at all."""
        return self is Role.OWNER or not other.is_high


READING = frozenset(permission for permission in Permission if permission.endswith(".read"))
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission),
    Role.AUDITOR: READING,
    Role.SUPPORT: frozenset(
        {
            Permission.OVERVIEW_READ,
            Permission.ALERTS_READ,
            Permission.APPROVALS_READ,
            Permission.CLIENTS_READ,
            Permission.GRANTS_READ,
            Permission.GRANTS_REVOKE,
            Permission.POLICIES_READ,
            Permission.SERVERS_READ,
            Permission.TRACES_READ,
            Permission.PEOPLE_READ,
            Permission.SESSIONS_END,
        }
    ),
    Role.MEMBER: frozenset(),
}
"""Who may do what. An admin may do all, but to owners and admins, and cannot make any (`Role.stands_over`)."""


def opening(permission: Permission) -> tuple[Role, ...]:
    """The roles that open *permission*."""
    return tuple(role for role in Role if role.may(permission))
