-- A year's table of reports is made a year before it is needed. While another session holds baocao.report it cannot be
-- attached: it is waited for shortly, and null says that it is to be tried again.
CREATE OR REPLACE FUNCTION baocao.make_year(year int4) RETURNS bool LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    part text := format('report_%s', year);
BEGIN
    IF to_regclass('baocao.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE baocao.%I (LIKE baocao.report INCLUDING ALL,'
                   ' CONSTRAINT of_year CHECK (period >= %s AND period < %s))', part, year * 10000, (year + 1) * 10000);
    EXECUTE format('ALTER TABLE baocao.report ATTACH PARTITION baocao.%I FOR VALUES FROM (%s) TO (%s)',
                   part, year * 10000, (year + 1) * 10000);
    EXECUTE format('ALTER TABLE baocao.%I DROP CONSTRAINT of_year', part);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END
$$;
