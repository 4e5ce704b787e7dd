-- How many leads wait for what, and since when: asked for at every sweep, answered from the index alone.
CREATE INDEX leads_waiting_by_reason ON leads (waiting, received_at) WHERE state = 'waiting';
