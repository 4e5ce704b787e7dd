-- Who waits for a place at which site: the next one there is for whoever was received first. A lead stands in it while it
-- waits, at every site with a limit that would take it if it had room.
CREATE TABLE site_queues (
    site_id     text NOT NULL,
    received_at timestamptz NOT NULL,
    lead_id     uuid NOT NULL,
    PRIMARY KEY (site_id, received_at, lead_id)
);
CREATE INDEX site_queues_of_lead ON site_queues (lead_id);
DROP INDEX leads_waiting_for_room;

-- Network, policy and opening by which a waiting lead stands in its queues: another network may have other sites that
-- would take it. Empty: of before there were queues. As the router writes it, an older one is less.
ALTER TABLE leads ADD COLUMN queued_for text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX leads_queued_for ON leads (queued_for)
    WHERE state = 'waiting' AND waiting IS DISTINCT FROM 'needs_person';

GRANT SELECT ON site_queues TO waypost_audit;
