"""What must be true of a database whatever died while it was used: changes are in the trail, answers were kept."""

from collections import Counter

from sqlalchemy import text

from authserver.store.database import Database

from .mixed_load import Answered

# What changed, and what the trail says of it: the same rows.
TOLD_OF = {
    "SELECT client_id FROM clients": "SELECT client_id FROM audit_events WHERE name = 'client.registered'",
    "SELECT client_id FROM clients WHERE suspended_at IS NOT NULL": (
        "SELECT DISTINCT client_id FROM audit_events WHERE name = 'client.suspended'"
    ),
    "SELECT user_id FROM sessions": "SELECT user_id FROM audit_events WHERE name = 'session.opened'",
    "SELECT id FROM grants": "SELECT grant_id FROM audit_events WHERE name = 'grant.approved'",
    "SELECT grant_id FROM refresh_families": "SELECT grant_id FROM audit_events WHERE name = 'code.redeemed'",
    "SELECT grant_id FROM refresh_tokens JOIN refresh_families ON id = family_id": (
        "SELECT grant_id FROM audit_events WHERE name IN ('code.redeemed', 'token.refreshed')"
    ),
    "SELECT DISTINCT client_id FROM grants WHERE revoked_at IS NOT NULL": (
        "SELECT DISTINCT client_id FROM audit_events WHERE name = 'grants.revoked'"
    ),
    "SELECT user_id FROM group_members": "SELECT user_id FROM audit_events WHERE name = 'group.joined'",
    "SELECT actor FROM policy_versions": "SELECT actor FROM audit_events WHERE name = 'policy.applied'",
    "SELECT 'key' FROM signing_keys": "SELECT 'key' FROM audit_events WHERE name = 'key.published'",
    """SELECT DISTINCT grant_id FROM refresh_families AS family JOIN grants ON grants.id = grant_id
        WHERE family.revoked_at IS NOT NULL AND grants.revoked_at IS NULL""": (
        """SELECT DISTINCT grant_id FROM audit_events JOIN grants ON grants.id = grant_id
        WHERE name = 'token.revoked' AND grants.revoked_at IS NULL"""
    ),
}


def rows(database: Database, statement: str) -> Counter[str]:
    with database.reading() as connection:
        return Counter(connection.scalars(text(statement)))


def check_answered(database: Database, answered: Answered) -> None:
    """What was answered is there."""
    clients = "SELECT client_id FROM clients"
    assert set(answered.clients) <= rows(database, clients).keys()
    assert set(answered.suspended) <= rows(database, f"{clients} WHERE suspended_at IS NOT NULL").keys()
    tokens = "SELECT digest FROM refresh_tokens"
    assert set(answered.refresh_tokens) <= rows(database, tokens).keys()
    assert set(answered.groups) <= rows(database, "SELECT name FROM group_members").keys()
    assert answered.rules <= rows(database, "SELECT 'version' FROM policy_versions").total()
    ended = " JOIN refresh_families ON id = family_id WHERE revoked_at IS NOT NULL"
    assert set(answered.revoked) <= rows(database, tokens + ended).keys()
