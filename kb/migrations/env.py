"""Alembic's entry: runs the library's migrations on the connection that `kb.store` hands over."""

from alembic import context

from kb.schema import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
