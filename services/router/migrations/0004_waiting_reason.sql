-- Why a lead waits, beside the lead: who waits for a person is asked by nobody but a person.

ALTER TABLE leads ADD COLUMN waiting text;  -- the reason, while it waits
UPDATE leads SET waiting = record ->> 'reason' FROM decisions
WHERE leads.state = 'waiting' AND decisions.lead_id = leads.lead_id AND decisions.epoch = leads.epoch;
