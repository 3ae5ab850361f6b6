-- Reports whose checks against earlier ones are to be run again, because one of those has changed since. Written by
-- whatever changes it, in the same transaction; emptied by the writer, under the lock, as it flags or clears.
CREATE TABLE baocao.recheck (
    unit   int4 NOT NULL,
    form   int4 NOT NULL,
    period int4 NOT NULL,
    PRIMARY KEY (unit, form, period)
);
