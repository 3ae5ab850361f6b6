-- The moment that an act of the office names, as its leaf in the chain says it: so that the row can be held against it.
ALTER TABLE baocao.obligation_event ADD COLUMN until timestamptz;
