-- Of a tenant that is removed nothing is left in any table that has a tenant_id, as the catalog lists them, nor its schema of reports.
\set VERBOSITY terse
\set ECHO none
SELECT qehs.tenant_create('removed', 'A'), qehs.tenant_create('not_removed', 'B') \g /dev/null
SELECT qehs.use_tenant('removed') \g /dev/null
SELECT qehs.user_create('ann', 'Ann'), qehs.user_create('bob', 'Bob') \g /dev/null
SET client_min_messages = warning;
SELECT count(*) FROM qehs.module_install('removed', 'incidents') \g /dev/null
SELECT id AS tenant FROM qehs.tenant WHERE slug = 'removed' \gset
SELECT id AS other FROM qehs.tenant WHERE slug = 'not_removed' \gset
-- a row in each table: what the functions write, and in the others a row of SQL
SELECT qehs.record_create('incidents', '{"title":"one","severity":"low"}') ->> 'id' AS id, qehs.record_create('incidents', '{"title":"two","severity":"low"}') ->> 'id' AS gone \gset
SELECT qehs.record_comment(:'id', 'seen'), qehs.attachment_create(:'id', 'a.txt', 'text/plain'), qehs.delegation_create('ann', now(), now() + interval '1 day', 'bob') \g /dev/null
SELECT qehs.record_delete(:'gone') \g /dev/null
SELECT qehs.record_purge(:'gone', 'old'), qehs.report_publish('removed'), qehs.audit_seal('removed'), qehs.export_create('incidents', 'csv'), qehs.rate_limit_set('tenant', 10), qehs.calendar_set('UTC') \g /dev/null
SELECT qehs.legal_hold_create('claim', ARRAY[:'id']) ->> 'id' AS hold \gset
CREATE FUNCTION pg_temp.tables() RETURNS SETOF text LANGUAGE sql AS $$
SELECT c.relname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' WHERE c.relnamespace = 'qehs'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1 $$;
CREATE FUNCTION pg_temp.rows(name text, tenant int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM qehs.%I WHERE tenant_id = $1', name) INTO n USING tenant;
	RETURN n;
END $$;
-- where the functions wrote none: values that the types and checks of the columns take
CREATE FUNCTION pg_temp.fill(name text, tenant int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE columns text; vals text;
BEGIN
	SELECT string_agg(quote_ident(a.attname), ', '), string_agg(CASE WHEN a.attname = 'tenant_id' THEN tenant::text WHEN a.attname = 'kind' THEN '''e''' WHEN a.attname = 'class' THEN '''default'''
		WHEN a.attname ~ '^(digest|hash|head|root)$' AND a.atttypid = 'bytea'::regtype THEN 'sha256(''x'')' WHEN a.attname = 'starts_at' THEN '''2026-01-01''' WHEN a.attname = 'from_user' THEN '''00000000-0000-0000-0000-000000000001'''
		WHEN a.atttypid = 'uuid'::regtype THEN '''00000000-0000-0000-0000-000000000000''' WHEN a.atttypid = 'bytea'::regtype THEN '''x''' WHEN a.atttypid = '"char"'::regtype THEN '''e'''
		ELSE CASE (SELECT t.typcategory FROM pg_type AS t WHERE t.oid = a.atttypid) WHEN 'A' THEN '''{}''' WHEN 'N' THEN '1' WHEN 'D' THEN '''2027-01-01''' WHEN 'T' THEN '''1 day''' WHEN 'B' THEN 'false' WHEN 'S' THEN '''x'''
			WHEN 'R' THEN '''empty''' ELSE CASE a.atttypid WHEN 'jsonb'::regtype THEN '''{}''' ELSE '''1''' END END END, ', ')
	INTO columns, vals FROM pg_attribute AS a WHERE a.attrelid = ('qehs.' || name)::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef;
	EXECUTE format('INSERT INTO qehs.%I (%s) VALUES (%s)', name, columns, vals);
END $$;
SET session_replication_role = replica;
SELECT pg_temp.fill(name, :tenant) FROM pg_temp.tables() AS name WHERE pg_temp.rows(name, :tenant) = 0 \g /dev/null
SELECT pg_temp.fill(name, :other) FROM pg_temp.tables() AS name WHERE name NOT IN ('role', 'calendar') AND pg_temp.rows(name, :other) = 0 \g /dev/null
RESET session_replication_role;
\set ECHO all
SELECT name AS empty_before FROM pg_temp.tables() AS name WHERE pg_temp.rows(name, :tenant) = 0;
-- what is exported before: all but secrets and what follows from the rest
SELECT name AS not_exported FROM pg_temp.tables() AS name WHERE name NOT IN (SELECT e ->> 'table' FROM qehs.tenant_export('removed') AS e);
SELECT count(*) FILTER (WHERE e ->> 'table' = 'tenant') AS tenants, count(*) FILTER (WHERE e ->> 'table' = 'api_key' AND e::jsonb -> 'row' ? 'hash') AS hashes,
	count(*) FILTER (WHERE e -> 'row' ->> 'tenant_id' <> :'tenant') AS of_others FROM qehs.tenant_export('removed') AS e;
SELECT qehs.tenant_export('nobody');
-- not under a hold
SELECT qehs.tenant_suspend('removed') ->> 'slug' AS slug;
SELECT qehs.tenant_remove('removed');
UPDATE qehs.legal_hold SET released_at = now() WHERE tenant_id = :tenant AND released_at IS NULL;
SELECT (SELECT count(*) FROM json_each_text(r -> 'rows') AS t (name, n) WHERE n <> '0') = (SELECT count(*) FROM pg_temp.tables()) AS of_each_table FROM qehs.tenant_remove('removed') AS r;
SELECT name AS left_over, pg_temp.rows(name, :tenant) FROM pg_temp.tables() AS name WHERE pg_temp.rows(name, :tenant) > 0;
SELECT to_regnamespace('report_removed') AS schema, (SELECT count(*) FROM qehs.tenant WHERE slug = 'removed') AS tenants;
-- its files are queued for the shim, the other tenant's rows are there
SELECT substr(object, 1, 4) AS kind, count(*) > 0 AS queued FROM qehs.object_removal WHERE tenant = 'removed' GROUP BY 1 ORDER BY 1;
SELECT name AS lost FROM pg_temp.tables() AS name WHERE pg_temp.rows(name, :other) = 0 AND name NOT IN ('calendar');
