"""Takes leads in: POST /v1/leads as JSON, NDJSON batches or ADF, from sources that hold a key.

Goes out: a 202 per lead, `leads.received` and `people.erased` on Kafka, the state of a lead to its source, and a
contact to a service that signs for it. Comes in besides: `leads.decided`.

Promised: 202 is said only after the lead is committed in PostgreSQL, and then it will reach Kafka, whatever happens.
Sending a lead twice (same Idempotency-Key, or same source and source_lead_id) gives one lead. Contacts are stored
sealed; nothing personal is in facts, logs, errors or metrics. What is too much is refused at once, with Retry-After.
"""
