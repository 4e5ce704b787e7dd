-- What the notifier knows of each lead: the newest decision it has read from leads.decided. The epoch only grows.
CREATE TABLE assignments (
    lead_id uuid PRIMARY KEY,
    epoch integer NOT NULL CHECK (epoch >= 1),
    decision_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('assigned', 'waiting', 'joined', 'accepted', 'outcome', 'erased')),
    -- Who holds the lead, and by which assignment. Set for assigned, accepted and outcome.
    site_id text,
    assignment_epoch integer,
    respond_by timestamptz,
    decided_at timestamptz NOT NULL,
    traceparent text,
    CHECK (state NOT IN ('assigned', 'accepted') OR (site_id IS NOT NULL AND assignment_epoch IS NOT NULL)),
    CHECK (state <> 'assigned' OR (respond_by IS NOT NULL AND assignment_epoch = epoch))
);

-- The vehicle of interest, learnt from leads.received, for the texts that a site sees. Not personal data.
CREATE TABLE vehicles (
    lead_id uuid PRIMARY KEY,
    vehicle json NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX vehicles_received_at ON vehicles (received_at);

-- Where a site can be told. The row is also the head of the endpoint's queue, its lock, its breaker and its wake time.
CREATE TABLE endpoints (
    endpoint_id uuid PRIMARY KEY,
    site_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('webhook', 'inbox')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    disabled_reason text,
    created_at timestamptz NOT NULL,
    -- webhook: the address, and secrets sealed with AES-256-GCM (AAD = endpoint id); two sign during a rotation.
    url text,
    -- host:port of the address. Many stores share the host of one CRM vendor: its outage must not take every slot.
    host text,
    secret_sealed bytea,
    previous_secret_sealed bytea,
    previous_secret_until timestamptz,
    -- inbox: SHA-256 of the site's log-in key (256 random bits, so no slow hash is needed).
    key_sha256 bytea,
    in_flight_cap integer NOT NULL DEFAULT 2 CHECK (in_flight_cap BETWEEN 1 AND 64),
    -- When the scheduler should look at this queue next. NULL: nothing due, or the cap is used up.
    next_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    open_until timestamptz,
    CHECK ((kind = 'webhook') = (url IS NOT NULL AND host IS NOT NULL AND secret_sealed IS NOT NULL)),
    CHECK ((kind = 'inbox') = (key_sha256 IS NOT NULL))
);
CREATE INDEX endpoints_site ON endpoints (site_id);
CREATE UNIQUE INDEX endpoints_one_inbox_per_site ON endpoints (site_id) WHERE kind = 'inbox';
CREATE INDEX endpoints_due ON endpoints (next_at) WHERE next_at IS NOT NULL AND status = 'active';

-- One push of one assignment to one webhook endpoint.
-- status: 0 due, 1 leased to a sender, 2 delivered, 3 failed for good, 4 void (the assignment ended first).
CREATE TABLE deliveries (
    delivery_id uuid PRIMARY KEY,
    decision_id uuid NOT NULL,
    endpoint_id uuid NOT NULL REFERENCES endpoints,
    lead_id uuid NOT NULL,
    epoch integer NOT NULL,
    site_id text NOT NULL,
    intent text NOT NULL,
    distance_m integer NOT NULL,
    traceparent text,
    status smallint NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 4),
    attempt integer NOT NULL DEFAULT 0,
    -- Answers so far that say the endpoint is set up wrongly (3xx, most 4xx).
    misconfigured smallint NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    -- respond_by of the assignment: telling a site later would make two sites call one person.
    expires_at timestamptz NOT NULL,
    lease uuid,
    lease_until timestamptz,
    decided_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (decision_id, endpoint_id)
);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_at) WHERE status = 0;
CREATE INDEX deliveries_leased ON deliveries (endpoint_id) WHERE status = 1;
CREATE INDEX deliveries_lease_until ON deliveries (lease_until) WHERE status = 1;
CREATE INDEX deliveries_expiring ON deliveries (expires_at) WHERE status = 0;
CREATE INDEX deliveries_assignment ON deliveries (lead_id, epoch);
CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;

-- What became of every attempt, for the operator; published as deliveries.attempted.
CREATE TABLE attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    attempt integer NOT NULL,
    result text NOT NULL,
    status_code integer,
    took_ms integer NOT NULL,
    attempted_at timestamptz NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (delivery_id, attempt)
);

-- What sites (and the notifier for them) said. The first word on a stage of an assignment stands.
CREATE TABLE answers (
    lead_id uuid NOT NULL,
    epoch integer NOT NULL,
    stage text NOT NULL CHECK (stage IN ('response', 'outcome')),
    answer_id uuid NOT NULL UNIQUE,
    site_id text NOT NULL,
    answer text NOT NULL CHECK (answer IN ('accepted', 'declined', 'outcome', 'undeliverable')),
    decline_reason text,
    result text,
    answered_at timestamptz NOT NULL,
    via text NOT NULL CHECK (via IN ('webhook', 'inbox', 'notifier')),
    PRIMARY KEY (lead_id, epoch, stage),
    CHECK ((stage = 'outcome') = (answer = 'outcome'))
);

-- Signed requests already handled, kept far longer than a signature stays fresh.
CREATE TABLE seen_requests (
    endpoint_id uuid NOT NULL,
    request_id text NOT NULL,
    body_sha256 bytea NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (endpoint_id, request_id)
);
CREATE INDEX seen_requests_seen_at ON seen_requests (seen_at);

-- The one-time contact fetch of a webhook endpoint: claimed while intake is asked, then fetched for ever.
CREATE TABLE contact_fetches (
    lead_id uuid NOT NULL,
    epoch integer NOT NULL,
    endpoint_id uuid NOT NULL,
    nonce uuid NOT NULL,
    claimed_until timestamptz NOT NULL,
    fetched_at timestamptz,
    PRIMARY KEY (lead_id, epoch, endpoint_id)
);

-- Facts committed with the rows that cause them; a row is deleted once Kafka has acknowledged it.
CREATE TABLE outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
