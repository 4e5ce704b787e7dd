-- A partner that was told of a silence is told how it ended. `reason` says why; `respond_by` is the site's, which the
-- partner was told with the escalation, because `expires_at` is a deadline of its own here too.
ALTER TABLE deliveries
    ADD COLUMN respond_by timestamptz,
    DROP CONSTRAINT deliveries_event_check,
    ADD CONSTRAINT deliveries_event_check
        CHECK (event IN ('created', 'reminder', 'escalated', 'revoked', 'escalation_ended')),
    DROP CONSTRAINT deliveries_check,
    ADD CONSTRAINT deliveries_reason_check CHECK ((event IN ('revoked', 'escalation_ended')) = (reason IS NOT NULL)),
    ADD CONSTRAINT deliveries_respond_by_check CHECK ((event = 'escalation_ended') = (respond_by IS NOT NULL));
