-- Leads that a site was given on one day of its own time zone, whatever became of them; only of sites with a daily limit.
CREATE TABLE site_days (
    site_id text NOT NULL,
    day     date NOT NULL,
    taken   int NOT NULL,
    PRIMARY KEY (site_id, day)
) WITH (fillfactor = 40);

-- When a waiting lead is tried again though nothing changed: by its latest decision, none without such a moment.
ALTER TABLE leads ADD COLUMN retry_at timestamptz;
CREATE INDEX leads_retry_at ON leads (retry_at) WHERE state = 'waiting' AND retry_at IS NOT NULL;

GRANT SELECT ON site_days TO waypost_audit;
