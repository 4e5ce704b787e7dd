"""Audit: the ledger of everything that was ever published, and the tools that judge the other services by it.

In: every topic of `shared.contracts` and every dead-letter topic (consumer group `audit`), record by record, raw.
Out: nothing. Audit has no producer; its commands read PostgreSQL in read-only transactions.
Promised: `audit.records` holds each record once, in order, under one hash chain per partition, whatever is redelivered;
rows are only ever added. From it `waypost audit verify` proves the ledger itself, `waypost audit count` proves that no
lead is missing (I2, I3, I4), `waypost audit replay` decides every decision again (I5),
`waypost lead` tells one journey.
"""
