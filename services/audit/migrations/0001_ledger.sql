-- The append-only ledger of every record of every topic, raw, with one hash chain per partition.

CREATE TABLE records (
    topic         text        NOT NULL,  -- the contract's name, without an installation's prefix
    partition     integer     NOT NULL,
    record_offset bigint      NOT NULL,
    key           bytea       NOT NULL,
    value         bytea       NOT NULL,
    chain         bytea       NOT NULL CHECK (octet_length(chain) = 32),
    kafka_time    timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    -- Labels: what a record is found by, derived from key and value; `waypost audit verify` derives them again.
    fact_id       uuid,                  -- NULL: the record is no fact of its topic (poison), kept all the same
    lead_id       uuid,
    epoch         integer,
    fact_time     timestamptz,           -- the envelope's time
    received_at   timestamptz,           -- of the lead: on received and decided facts
    PRIMARY KEY (topic, partition, record_offset)
);

-- One lead's journey, and the decisions of one lead in order.
CREATE INDEX records_by_lead ON records (lead_id, topic, epoch) WHERE lead_id IS NOT NULL;
-- The cause of a later epoch (the cause of the first is the lead itself).
CREATE INDEX records_by_fact ON records (fact_id) WHERE topic IN ('leads.answered', 'leads.due', 'people.erased');
-- Windows of `count` and of `replay`.
CREATE INDEX records_by_receipt ON records (topic, received_at) WHERE received_at IS NOT NULL;
CREATE INDEX records_by_time ON records (fact_time) WHERE topic = 'leads.decided';
-- Poison, which is rare.
CREATE INDEX records_unreadable ON records (kafka_time) WHERE fact_id IS NULL;

-- The end of each partition's chain. Locked before its partition is appended to, in the order of the primary key.
CREATE TABLE heads (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    records     bigint  NOT NULL,
    chain       bytea   NOT NULL CHECK (octet_length(chain) = 32),
    PRIMARY KEY (topic, partition)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit ledger only grows: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER records_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER heads_only_move BEFORE DELETE OR TRUNCATE ON heads
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The owner may do everything unless it is taken away; the trigger also stops a superuser who did not mean it.
REVOKE UPDATE, DELETE, TRUNCATE ON records FROM waypost_audit;
REVOKE DELETE, TRUNCATE ON heads FROM waypost_audit;
