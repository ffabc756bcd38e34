"""One file for each change of the ledger's schema, oldest first."""
