-- A BI tool's forgotten transaction must pin nothing: readers of the office's views have one minute, for a
-- statement as for standing idle within a transaction.

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'baocao_office'
                  AND NOT coalesce('idle_in_transaction_session_timeout=60s' = ANY (rolconfig), false)) THEN
        BEGIN
            ALTER ROLE baocao_office SET idle_in_transaction_session_timeout = '60s';
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'role baocao_office keeps its limits: this login may not alter roles';
        END;
    END IF;
END
$$;
