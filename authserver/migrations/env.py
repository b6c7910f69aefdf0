"""Run by Alembic to migrate on the connection that ``store.migrate`` hands it."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    # SQLite can roll back DDL, but Alembic does not count on it.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
