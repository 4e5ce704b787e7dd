-- Who may change things: people with a key, of which only the hash is here.
CREATE TABLE operators (
    operator    text PRIMARY KEY CHECK (operator ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    key_hash    bytea NOT NULL UNIQUE,   -- SHA-256 of 256 random bits
    added_at    timestamptz NOT NULL,
    added_by    text,                    -- none: whoever had PostgreSQL, when there was no operator
    disabled_at timestamptz,
    disabled_by text
);

-- What somebody wants to change, whatever became of it.
CREATE TABLE changes (
    change_id       int PRIMARY KEY CHECK (change_id > 0),
    kind            text NOT NULL CHECK (kind IN ('policy', 'network', 'two_person', 'operator')),
    content         text,                -- TOML, canonical JSON of the sites, on or off, an operator with the hash
                                         -- of his key; none once it is kept as a version or a revision
    digest          text NOT NULL,       -- SHA-256 (hex) of the content
    base            int NOT NULL,        -- version or revision in effect when it was proposed
    restores        int,                 -- the older version or revision that this goes back to
    findings        text[] NOT NULL,     -- what was known to be wanting when it was proposed or approved
    even_if_changed boolean NOT NULL,    -- it may undo what took effect since its base
    proposed_by     text,                -- none: without a key, as one person may where two are not needed
    proposed_at     timestamptz NOT NULL,
    approved_by     text,                -- none: one person was enough
    approved_at     timestamptz,
    takes_effect_at timestamptz,         -- none: as soon as it is approved
    state           text NOT NULL CHECK (state IN ('proposed', 'approved', 'in_effect', 'withdrawn', 'refused')),
    ended_at        timestamptz,         -- when it took effect, was withdrawn or was refused
    withdrawn_by    text,
    refusal         text,                -- why it could not take effect
    became          int                  -- version or revision that it is
);
CREATE INDEX changes_approved ON changes (takes_effect_at) WHERE state = 'approved';

ALTER TABLE network_revisions ADD change_id int, ADD published_by text, ADD approved_by text;
ALTER TABLE policies ADD change_id int, ADD published_by text, ADD approved_by text;
