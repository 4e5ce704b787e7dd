-- lead_intake: leads, the people they are about, and what is still to be published.
-- Personal data lives in `contacts` only, sealed; `person_tokens` holds keyed hashes.

CREATE TABLE sources (
    source          text PRIMARY KEY,
    -- Text version that the people of this source agree to, for formats that cannot say it (ADF).
    consent_version text,
    created_at      timestamptz NOT NULL
);

CREATE TABLE source_keys (
    key_hash   bytea PRIMARY KEY,  -- SHA-256; the key itself is shown once
    source     text NOT NULL REFERENCES sources,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE leads (
    lead_id       uuid PRIMARY KEY,
    person_id     uuid NOT NULL,
    intent        text NOT NULL,
    source        text NOT NULL,
    channel       text NOT NULL,
    received_at   timestamptz NOT NULL,
    -- Learnt from leads.decided; epoch 0 = not decided yet.
    epoch         integer NOT NULL DEFAULT 0,
    state         text NOT NULL DEFAULT 'accepted',
    reason        text,
    site_id       text,
    joins_lead_id uuid,
    decided_at    timestamptz
) WITH (fillfactor = 80);  -- room for one update in place per decision

CREATE INDEX leads_person ON leads (person_id);
CREATE INDEX leads_received ON leads USING brin (received_at);

-- One lead per id that its source gave it, for ever. The id is kept as a keyed hash: some senders put a phone there.
CREATE TABLE source_leads (
    source   text NOT NULL,
    id_token bytea NOT NULL,
    lead_id  uuid NOT NULL,
    PRIMARY KEY (source, id_token)
);

CREATE TABLE contacts (
    lead_id uuid PRIMARY KEY REFERENCES leads,
    key_id  text NOT NULL,
    sealed  bytea NOT NULL  -- nonce (12 bytes), then AES-256-GCM of the contact's JSON; AAD = lead id
);

-- Same phone or same e-mail address = same person. Erasing a person deletes the rows.
CREATE TABLE person_tokens (
    token     bytea PRIMARY KEY,
    person_id uuid NOT NULL
);

CREATE INDEX person_tokens_person ON person_tokens (person_id);

CREATE TABLE erasures (
    person_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

CREATE TABLE idempotency (
    source      text NOT NULL,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,  -- keyed hash of the body
    lead_id     uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (source, key)
);

CREATE INDEX idempotency_age ON idempotency USING brin (created_at);

-- A row is here until Kafka acknowledged it.
CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic       text NOT NULL,
    key         bytea NOT NULL,
    value       bytea NOT NULL,
    traceparent text,
    created_at  timestamptz NOT NULL
);

CREATE TABLE reveals (
    nonce       text PRIMARY KEY,
    lead_id     uuid NOT NULL,
    site_id     text NOT NULL,
    epoch       integer NOT NULL,
    via         text NOT NULL,
    revealed_at timestamptz NOT NULL
);

CREATE INDEX reveals_lead ON reveals (lead_id);

GRANT USAGE ON SCHEMA lead_intake TO waypost_audit;
GRANT SELECT ON leads, reveals TO waypost_audit;
