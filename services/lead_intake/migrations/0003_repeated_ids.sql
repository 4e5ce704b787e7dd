-- Ids that a source gave to several people: they identify nothing, and somebody should tell the source.
ALTER TABLE source_leads
    ADD COLUMN other_people integer NOT NULL DEFAULT 0,  -- leads of other people than the first that came under this id
    ADD COLUMN repeated_at  timestamptz;

CREATE INDEX source_leads_repeated ON source_leads (source) WHERE other_people > 0;
