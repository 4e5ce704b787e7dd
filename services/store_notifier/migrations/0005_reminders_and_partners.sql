-- While a site is silent: when it is reminded and its partner told. Set from the decision, NULL once that is done or
-- when another decision follows, so the rows that are due are found without reading the others.
ALTER TABLE assignments
    ADD COLUMN remind_at timestamptz,
    ADD COLUMN escalate_at timestamptz,
    ADD COLUMN partner text;
CREATE INDEX assignments_to_remind ON assignments (remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX assignments_to_escalate ON assignments (escalate_at) WHERE escalate_at IS NOT NULL;
ALTER TABLE inbox_items ADD COLUMN reminded boolean NOT NULL DEFAULT false;

-- An endpoint belongs to one site, or to a partner, who is told of all of its sites.
ALTER TABLE endpoints
    ALTER COLUMN site_id DROP NOT NULL,
    ADD COLUMN partner text,
    ADD CHECK (num_nonnulls(site_id, partner) = 1),
    ADD CHECK (partner IS NULL OR kind = 'webhook');
CREATE INDEX endpoints_partner ON endpoints (partner) WHERE partner IS NOT NULL;

-- What a delivery tells of its assignment. `created` is the assignment itself; `revoked` says why in `reason`, and its
-- `expires_at` is a deadline of its own. `decided_at` is when that happened which it tells.
ALTER TABLE deliveries
    ADD COLUMN event text NOT NULL DEFAULT 'created' CHECK (event IN ('created', 'reminder', 'escalated', 'revoked')),
    ADD COLUMN reason text,
    DROP CONSTRAINT deliveries_decision_id_endpoint_id_key,
    ADD UNIQUE (decision_id, endpoint_id, event),
    ADD CHECK ((event = 'revoked') = (reason IS NOT NULL));
