"""Every SQL statement of audit, one function each: writing the ledger, and reading it beside the others' tables."""
