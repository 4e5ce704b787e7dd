-- Which site can do the work may depend on the vehicle: a lead that is decided again still needs it.
ALTER TABLE leads ADD COLUMN vehicle text;  -- brand or brand/model as networks are compared; none when none was named
