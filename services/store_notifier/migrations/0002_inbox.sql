-- The live inbox: one row per assignment of a site. `seq` is the site's change counter at the row's last change, so
-- "seq > last seen" is exactly what a page missed. The counter's row lock makes commit order equal seq order.
CREATE TABLE inbox_sequences (
    site_id text PRIMARY KEY,
    last_seq bigint NOT NULL DEFAULT 0
);

CREATE TABLE inbox_items (
    lead_id uuid NOT NULL,
    epoch integer NOT NULL,
    site_id text NOT NULL,
    seq bigint NOT NULL,
    decision_id uuid NOT NULL,
    intent text NOT NULL,
    distance_m integer NOT NULL,
    respond_by timestamptz NOT NULL,
    -- open: waits for an answer. moved_on: silence, or a channel that failed; the lead went elsewhere.
    state text NOT NULL CHECK (state IN ('open', 'accepted', 'declined', 'moved_on', 'outcome', 'erased')),
    result text,
    assigned_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (lead_id, epoch),
    UNIQUE (site_id, seq)
);
CREATE INDEX inbox_items_open ON inbox_items (site_id, respond_by) WHERE state IN ('open', 'accepted');

-- Log-ins of the inbox page: the cookie holds a random token, this table its SHA-256.
CREATE TABLE inbox_sessions (
    token_sha256 bytea PRIMARY KEY,
    site_id text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX inbox_sessions_expires_at ON inbox_sessions (expires_at);
