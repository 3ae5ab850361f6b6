-- Spreads a migrated, still empty database of baocaod over a Citus cluster. Run once on the coordinator, between
-- `baocaod migrate` and the first start:  psql "$URL" -f deploy/citus.sql
--
-- Facts go by unit and lie together, so that a report, its obligation and its events stand on one node; sums go by
-- scope; a receipt is found by its id alone. What everything joins is small and copied to every node.
\set ON_ERROR_STOP on
BEGIN;
SELECT create_reference_table('baocao.unit');
SELECT create_reference_table('baocao.unit_succession');
SELECT create_reference_table('baocao.scope');
SELECT create_reference_table('baocao.scope_unit');
SELECT create_reference_table('baocao.form');
SELECT create_reference_table('baocao.indicator');
SELECT create_reference_table('baocao.indicator_was');
SELECT create_reference_table('baocao.scope_was');
SELECT create_reference_table('baocao.target_was');
SELECT create_reference_table('baocao.period_was');
SELECT create_reference_table('baocao.period');
SELECT create_reference_table('baocao.target');

SELECT create_distributed_table('baocao.obligation', 'unit');
SELECT create_distributed_table('baocao.obligation_event', 'unit', colocate_with => 'baocao.obligation');
SELECT create_distributed_table('baocao.warning_was', 'unit', colocate_with => 'baocao.obligation');
SELECT create_distributed_table('baocao.report', 'unit', colocate_with => 'baocao.obligation');
SELECT create_distributed_table('baocao.outcome', 'unit', colocate_with => 'baocao.obligation');
SELECT create_distributed_table('baocao.refusal', 'unit', colocate_with => 'baocao.obligation');
SELECT create_distributed_table('baocao.observation', 'unit', colocate_with => 'baocao.obligation');
SELECT create_distributed_table('baocao.alert', 'unit', colocate_with => 'baocao.obligation');
SELECT create_distributed_table('baocao.recheck', 'unit', colocate_with => 'baocao.obligation');

SELECT create_distributed_table('baocao.receipt', 'id', colocate_with => 'none');
SELECT create_distributed_table('baocao.rollup', 'scope', colocate_with => 'none');
SELECT create_distributed_table('baocao.synthesis', 'scope', colocate_with => 'baocao.rollup');
COMMIT;
-- epoch, audit, credential, quarantine and migration stay on the coordinator: one row or one writer each.
