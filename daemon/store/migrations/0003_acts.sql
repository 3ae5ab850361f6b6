-- Acts of the office in full: the document that an act rests on, and the custody that a return keeps.
ALTER TABLE baocao.obligation_event
    ADD COLUMN decision text,
    ADD COLUMN kept_at timestamptz;
-- The events of one form and period, for the state at an earlier batch.
CREATE INDEX obligation_event_form_period ON baocao.obligation_event (form, period, unit, seq, leaf);
