-- Official codes of the places that a lead without a certain place may mean, for its sender and for operators.
ALTER TABLE leads ADD COLUMN place_candidates text[];
