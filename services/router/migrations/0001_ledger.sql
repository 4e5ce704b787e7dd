-- The network and the policy as they were at every moment: rows are added, never changed.

CREATE TABLE network_revisions (
    revision   int PRIMARY KEY CHECK (revision > 0),
    digest     text NOT NULL,           -- SHA-256 (hex) of the sites as canonical JSON
    sites      json NOT NULL,           -- json, not jsonb: the text itself is what the digest covers
    created_at timestamptz NOT NULL
);

CREATE TABLE policies (
    version      int PRIMARY KEY CHECK (version > 0),
    digest       text NOT NULL,         -- SHA-256 (hex) of the file
    toml         text NOT NULL,
    published_at timestamptz NOT NULL
);

-- What operators changed and Kafka has not been told yet (a change by hand has no record that could be replayed).
CREATE TABLE announcements (
    fact_id      uuid PRIMARY KEY,
    topic        text NOT NULL,
    key          bytea NOT NULL,
    value        bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    published_at timestamptz
);
CREATE INDEX announcements_unpublished ON announcements (created_at) WHERE published_at IS NULL;

-- The ledger: one row per decision, never changed. `record` is the data of the leads.decided fact, byte for byte.
CREATE TABLE decisions (
    lead_id          uuid NOT NULL,
    epoch            int NOT NULL CHECK (epoch > 0),
    decision_id      uuid NOT NULL,
    outcome          text NOT NULL,
    site_id          text,
    decided_at       timestamptz NOT NULL,
    network_revision int NOT NULL,
    policy_version   int NOT NULL,
    cause_id         uuid NOT NULL,     -- the fact that caused it: a redelivered fact finds its decision by this
    record           json NOT NULL,
    PRIMARY KEY (lead_id, epoch)
);

-- Where each lead stands after its latest decision, with what routing needs to decide it again.
CREATE TABLE leads (
    lead_id            uuid PRIMARY KEY,
    person_id          uuid NOT NULL,
    epoch              int NOT NULL,     -- 0: its person was erased before the lead itself arrived
    erased_by          uuid,             -- set at epoch 0: the fact that said so
    state              text NOT NULL CHECK (state IN ('waiting', 'held', 'joined', 'closed')),
    closed             text,             -- why, when it is
    site_id            text,             -- holder, or the site that had it last
    assignment_epoch   int,
    respond_by         timestamptz,      -- set while held
    changed_at         timestamptz NOT NULL,
    live               boolean NOT NULL, -- other leads of the person may join this one
    join_group         text,             -- by the policy of its first decision; none: it joins nothing
    network_revision   int NOT NULL,     -- of the latest decision, as the policy version
    policy_version     int NOT NULL,
    intent             text,             -- from here on what the lead itself said; absent at epoch 0
    lat                float8,
    lon                float8,
    preferred_site_id  text,
    received_at        timestamptz,
    traceparent        text,             -- of leads.received: what timers ask belongs to the lead's own trace
    excluded           text[] NOT NULL DEFAULT '{}',  -- sites that declined, stayed silent or could not be reached
    waits_for          text[] NOT NULL DEFAULT '{}',  -- full sites that would take it, while it waits
    due_published_at   timestamptz       -- when a timer last asked for a decision of this epoch
) WITH (fillfactor = 80);

-- One live lead per person and group, however many routers decide at once.
CREATE UNIQUE INDEX leads_live ON leads (person_id, join_group) WHERE live;
CREATE INDEX leads_respond_by ON leads (respond_by) WHERE state = 'held';
CREATE INDEX leads_waiting ON leads (received_at) WHERE state = 'waiting';
CREATE INDEX leads_waiting_for_room ON leads USING gin (waits_for) WHERE state = 'waiting' AND waits_for <> '{}';

-- How many leads each site holds unanswered; a site without a row holds none.
CREATE TABLE site_loads (
    site_id text PRIMARY KEY,
    held    int NOT NULL  -- never negative; no CHECK, because an upsert checks the change before it finds the row
) WITH (fillfactor = 40);

GRANT USAGE ON SCHEMA router TO waypost_audit;
GRANT SELECT ON network_revisions, policies, decisions, leads, site_loads TO waypost_audit;
