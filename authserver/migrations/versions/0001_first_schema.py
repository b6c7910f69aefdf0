"""The first schema: people, clients, resources, grants, codes, refresh families, keys, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TABLES = (
    "users", "sessions", "throttles", "clients", "resources", "resource_names", "resource_scopes", "resource_tools",
    "grants", "consents", "authorization_codes", "refresh_families", "refresh_tokens", "revoked_access_tokens",
    "signing_keys", "audit_events", "config_epoch",
)  # fmt: skip


def upgrade() -> None:
    _people()
    _clients()
    _resources()
    _grants()
    _codes()
    _refresh_tokens()
    _access_tokens_and_keys()
    _audit()
    _epoch()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _text(name: str, *constraints: sa.ForeignKey, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *constraints, primary_key=key, nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _digest(name: str, *, key: bool = False, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(32), primary_key=key, nullable=null)


def _people() -> None:
    op.create_table(
        "users",
        _text("id", key=True),
        sa.Column("username", sa.Text, nullable=False, unique=True),
        _text("display_name"),
        _text("password_hash"),
        _text("role"),
        _moment("created_at"),
        _moment("disabled_at", null=True),
    )
    op.create_table(
        "sessions",
        _digest("digest", key=True),
        _text("user_id", sa.ForeignKey("users.id")),
        _moment("auth_time"),
        _moment("created_at"),
        _moment("last_seen_at"),
        _moment("expires_at"),
        _moment("ended_at", null=True),
        _text("address"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "throttles",
        _text("key", key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        _moment("last_failed_at"),
        _moment("blocked_until"),
    )
    op.create_index("ix_throttles_last_failed_at", "throttles", ["last_failed_at"])


def _clients() -> None:
    op.create_table(
        "clients",
        _text("client_id", key=True),
        _text("kind"),
        _text("name"),
        sa.Column("redirect_uris", sa.JSON, nullable=False),
        _text("auth_method"),
        _text("grant_types"),
        _digest("secret_digest", null=True),
        _digest("registration_digest", null=True),
        sa.Column("metadata", sa.JSON, nullable=False),
        _moment("created_at"),
        _moment("last_used_at", null=True),
        _moment("suspended_at", null=True),
        _moment("deleted_at", null=True),
    )
    op.create_index("ix_clients_created_at", "clients", ["created_at"])


def _resources() -> None:
    op.create_table(
        "resources",
        _text("id", key=True),
        sa.Column("identifier", sa.Text, nullable=False, unique=True),
        _text("name"),
        sa.Column("is_default", sa.Boolean, nullable=False),
        _moment("created_at"),
        _moment("suspended_at", null=True),
    )
    op.create_table("resource_names", _text("uri", key=True), _text("resource_id", sa.ForeignKey("resources.id")))
    op.create_index("ix_resource_names_resource_id", "resource_names", ["resource_id"])
    op.create_table(
        "resource_scopes",
        _text("resource_id", sa.ForeignKey("resources.id"), key=True),
        _text("name", key=True),
        _text("description"),
        _text("risk"),
        sa.Column("is_default", sa.Boolean, nullable=False),
        _text("implies"),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.create_table(
        "resource_tools",
        _text("resource_id", sa.ForeignKey("resources.id"), key=True),
        _text("name", key=True),
        _text("title"),
        _text("description"),
        _text("scopes"),
        sa.Column("position", sa.Integer, nullable=False),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        _text("id", key=True),
        _text("user_id", sa.ForeignKey("users.id")),
        _text("client_id", sa.ForeignKey("clients.client_id")),
        _digest("device_digest"),
        _text("redirect_host"),
        _text("resource"),
        _text("scopes"),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("revoked_at", null=True),
    )
    live = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_grants_live", "grants", ["user_id", "client_id", "device_digest", "redirect_host", "resource"],
        unique=True, postgresql_where=live, sqlite_where=live,
    )  # fmt: skip
    op.create_index("ix_grants_user_id", "grants", ["user_id", "client_id"])
    op.create_index("ix_grants_client_id", "grants", ["client_id"])
    op.create_index("ix_grants_resource", "grants", ["resource"])
    op.create_index("ix_grants_created_at", "grants", ["created_at"])
    op.create_table(
        "consents",
        _text("user_id", sa.ForeignKey("users.id"), key=True),
        _text("client_id", sa.ForeignKey("clients.client_id"), key=True),
        _text("redirect_host", key=True),
        _text("resource", key=True),
        _text("scopes"),
        _moment("decided_at"),
        _text("client_name"),
        _digest("client_identity"),
    )


def _codes() -> None:
    op.create_table(
        "authorization_codes",
        _digest("digest", key=True),
        _text("grant_id", sa.ForeignKey("grants.id")),
        _text("client_id"),
        _text("redirect_uri"),
        _text("challenge"),
        _text("resource"),
        _text("scopes"),
        _moment("auth_time"),
        sa.Column("wants_refresh", sa.Boolean, nullable=False),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("redeemed_at", null=True),
        _text("family_id", null=True),
    )
    op.create_index("ix_authorization_codes_grant_id", "authorization_codes", ["grant_id"])
    op.create_index("ix_authorization_codes_expires_at", "authorization_codes", ["expires_at"])


def _refresh_tokens() -> None:
    op.create_table(
        "refresh_families",
        _text("id", key=True),
        _text("grant_id", sa.ForeignKey("grants.id")),
        _text("client_id"),
        _text("resource"),
        _text("scopes"),
        _moment("auth_time"),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("revoked_at", null=True),
    )
    op.create_index("ix_refresh_families_grant_id", "refresh_families", ["grant_id"])
    op.create_index("ix_refresh_families_expires_at", "refresh_families", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        _digest("digest", key=True),
        _text("family_id", sa.ForeignKey("refresh_families.id")),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("rotated_at", null=True),
        _digest("successor_digest", null=True),
        sa.Column("sealed", sa.LargeBinary),
    )
    sealed = sa.text("sealed IS NOT NULL")
    op.create_index("ix_refresh_tokens_family_id", "refresh_tokens", ["family_id", "created_at"])
    op.create_index("ix_refresh_tokens_expires_at", "refresh_tokens", ["expires_at"], postgresql_using="brin")
    op.create_index(
        "ix_refresh_tokens_sealed", "refresh_tokens", ["created_at"], postgresql_where=sealed, sqlite_where=sealed
    )


def _access_tokens_and_keys() -> None:
    op.create_table("revoked_access_tokens", _text("jti", key=True), _moment("expires_at"))
    op.create_index("ix_revoked_access_tokens_expires_at", "revoked_access_tokens", ["expires_at"])
    op.create_table(
        "signing_keys",
        _text("kid", key=True),
        _text("alg"),
        sa.Column("public_jwk", sa.JSON, nullable=False),
        sa.Column("sealed_private", sa.LargeBinary, nullable=False),
        _moment("created_at"),
        _moment("signs_from", null=True),
        _moment("signs_until", null=True),
        _moment("published_until", null=True),
    )


def _audit() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "audit_events",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        _moment("at_ms"),
        _text("name"),
        _text("actor"),
        _text("user_id", null=True),
        _text("client_id", null=True),
        _text("resource", null=True),
        _text("grant_id", null=True),
        _text("outcome"),
        _text("address"),
        _text("correlation_id"),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("ix_audit_events_user_id", "audit_events", ["user_id", "id"])
    op.create_index("ix_audit_events_client_id", "audit_events", ["client_id", "id"])


def _epoch() -> None:
    number = sa.Column("id", sa.Integer, primary_key=True, autoincrement=False)
    table = op.create_table("config_epoch", number, sa.Column("epoch", sa.BigInteger, nullable=False))
    op.bulk_insert(table, [{"id": 1, "epoch": 1}])
