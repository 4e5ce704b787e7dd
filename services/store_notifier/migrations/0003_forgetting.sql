-- What is over is found by its age, the oldest first. A lead that was accepted may still get its outcome: it is kept
-- longer, so it has an index of its own, and the search for what is over never reads through the held ones.
CREATE INDEX assignments_over ON assignments (decided_at) WHERE state IN ('joined', 'outcome', 'erased');
CREATE INDEX assignments_held ON assignments (decided_at) WHERE state = 'accepted';
