-- A report of usual size (2 to 4 kB, most of it texts and a body that is a zlib stream already) stands whole in its row.
-- Beyond 2 kB it went to the TOAST table: tried in vain for compression, then a second insert and an index entry, together
-- more than a third of COPY's time. At least two rows still share a page; what is longer goes there as before. Rows that
-- are stored already stay as they are: nothing is rewritten.
CREATE OR REPLACE FUNCTION baocao.make_year(year int4) RETURNS bool LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    part text := format('report_%s', year);
BEGIN
    IF to_regclass('baocao.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE baocao.%I (LIKE baocao.report INCLUDING ALL,'
                   ' CONSTRAINT of_year CHECK (period >= %s AND period < %s)) WITH (toast_tuple_target = 4080)',
                   part, year * 10000, (year + 1) * 10000);
    EXECUTE format('ALTER TABLE baocao.report ATTACH PARTITION baocao.%I FOR VALUES FROM (%s) TO (%s)',
                   part, year * 10000, (year + 1) * 10000);
    EXECUTE format('ALTER TABLE baocao.%I DROP CONSTRAINT of_year', part);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END
$$;

DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'baocao.report'::regclass LOOP
        EXECUTE format('ALTER TABLE %s SET (toast_tuple_target = 4080)', part);
    END LOOP;
END
$$;
