-- The trace context that a waiting fact came from; its own is in its value. NULL when it belongs to no trace.
ALTER TABLE outbox ADD COLUMN parent text;
