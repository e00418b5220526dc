-- A plan that was made when a table was small is not kept while the table fills: look-ups go by the key soon.
SELECT qehs.tenant_create('plan_age', 'Plan age')::jsonb ->> 'slug' AS tenant;
SELECT qehs.module_install('plan_age', 'incidents')::jsonb ->> 'key' AS module;
SELECT qehs.use_tenant('plan_age');
CREATE PROCEDURE pg_temp.load(first int, last int) LANGUAGE plpgsql AS $load$
BEGIN
	FOR number IN first..last LOOP
		PERFORM qehs.bulk_load('incidents', convert_to('{"title":"x","severity":"low"}', 'UTF8'), number, 'batch');
	END LOOP;
END
$load$;
-- a new file, so that VACUUM knows it to be empty whoever else looks on
TRUNCATE qehs.idempotency;
VACUUM qehs.idempotency;
-- the key's index is the first choice in a table that is known to be empty
BEGIN;
CALL pg_temp.load(1, 100);
SELECT n_tup_ins AS keys, seq_tup_read + idx_tup_fetch < 1000 AS by_key
FROM pg_stat_xact_user_tables WHERE relid = 'qehs.idempotency'::regclass;
ROLLBACK;
\c -
SELECT qehs.use_tenant('plan_age');
CREATE PROCEDURE pg_temp.load(first int, last int) LANGUAGE plpgsql AS $load$
BEGIN
	FOR number IN first..last LOOP
		PERFORM qehs.bulk_load('incidents', convert_to('{"title":"x","severity":"low"}', 'UTF8'), number, 'batch');
	END LOOP;
END
$load$;
-- one that reads the whole table, kept for all 4,000 loads, would read 8,000,000 rows
BEGIN;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
CALL pg_temp.load(1, 10);
RESET enable_indexscan;
RESET enable_bitmapscan;
CALL pg_temp.load(11, 500);
-- VACUUM, which may come at any time, sees the table of this transaction empty still: to the planner all indexes are alike
\setenv PGDATABASE :DBNAME
\! psql -q -X -c 'VACUUM ANALYZE qehs.idempotency'
-- longer than a plan is kept, however fast the machine
SELECT pg_sleep(0.5);
CALL pg_temp.load(501, 4000);
SELECT n_tup_ins AS keys, seq_tup_read + idx_tup_fetch < 1000000 AS by_key
FROM pg_stat_xact_user_tables WHERE relid = 'qehs.idempotency'::regclass;
ROLLBACK;
