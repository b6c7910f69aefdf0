"""What access tokens for each MCP server are; where its tools were heard of; places on lists for clients themselves."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

FOR_ITSELF = (
    "SELECT client_id, ceilings FROM clients WHERE deleted_at IS NULL AND kind = 'preregistered'"
    " AND auth_method <> 'none' AND grant_types LIKE '%client_credentials%' ORDER BY client_id"
)
SEQUENCE = "SELECT nextval('status_positions')"
COUNTER = "UPDATE config_epoch SET last_position = last_position + 1 WHERE id = 1 RETURNING last_position"


def upgrade() -> None:
    op.add_column("resources", sa.Column("token_format", sa.Text, nullable=False, server_default="jwt"))
    op.add_column("resources", sa.Column("tools_source", sa.Text))
    op.add_column("resources", sa.Column("tools_heard_at", sa.BigInteger))
    places = op.create_table(
        "client_positions",
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.client_id"), primary_key=True),
        sa.Column("resource", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    connection = op.get_bind()
    next_position = SEQUENCE if connection.dialect.name == "postgresql" else COUNTER
    for client_id, ceilings in connection.execute(sa.text(FOR_ITSELF)).all():
        for resource in json.loads(ceilings) if isinstance(ceilings, str) else ceilings:
            position = connection.scalar(sa.text(next_position))
            connection.execute(places.insert().values(client_id=client_id, resource=resource, position=position))


def downgrade() -> None:
    op.drop_table("client_positions")
    for column in ("tools_heard_at", "tools_source", "token_format"):
        op.drop_column("resources", column)
