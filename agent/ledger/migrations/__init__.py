"""Alembic migrations of the ledger, shipped with the package; `agent/ledger/engine.py` runs them on opening."""
