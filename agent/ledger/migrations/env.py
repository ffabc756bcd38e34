"""Alembic's entry: runs the migrations on the connection that `agent/ledger/engine.py` hands over."""

from alembic import context

from agent.ledger.schema import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
context.run_migrations()
