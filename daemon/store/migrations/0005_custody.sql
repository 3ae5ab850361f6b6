-- A copy drained from a spool may have come before the one that was stored first: its time becomes the
-- obligation's, and this is the event that says so. Of other kinds it stays null.
ALTER TABLE baocao.obligation_event ADD COLUMN received_at timestamptz;
