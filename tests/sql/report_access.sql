-- A reporting login reads the views of its tenant, records and fields as its roles have them, and nothing else by whatever way.
\set ECHO none
\o /dev/null
CREATE ROLE report_reader_a LOGIN;
CREATE ROLE report_medic_a LOGIN;
CREATE ROLE report_reader_b LOGIN;
SELECT qehs.tenant_create(slug, slug) FROM (VALUES ('report_a'), ('report_b')) AS v (slug);
CREATE FUNCTION pg_temp.fill(slug text, secret text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM qehs.use_tenant(slug);
	PERFORM qehs.module_publish('cases', jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb,
		'fields', '[{"key":"title","type":"text","maxLength":60,"indexed":true},{"key":"notes","type":"text","maxLength":60,"indexed":true},{"key":"grade","type":"computed","expression":"$.notes"},{"key":"parts","type":"table","fields":[{"key":"part","type":"text"}]}]'::jsonb,
		'workflow', '{"states":["open"],"initial":"open"}'::jsonb,
		'permissions', '{"roles":{"viewer":["read"],"medic":["read"]},"fields":{"notes":{"read":["medic"]},"parts":{"read":["medic"]}}}'::jsonb));
	PERFORM qehs.module_publish('secrets', jsonb_build_object('key', 'secrets', 'name', 'Secrets', 'displayCode', '{"prefix":"SEC"}'::jsonb, 'fields', '[{"key":"title","type":"text","maxLength":60}]'::jsonb,
		'workflow', '{"states":["open"],"initial":"open"}'::jsonb, 'permissions', '{"roles":{"medic":["read"],"viewer":[]}}'::jsonb));
	PERFORM qehs.record_create('cases', jsonb_build_object('title', slug || ' title', 'notes', secret, 'parts', jsonb_build_array(jsonb_build_object('part', secret))));
	PERFORM qehs.record_create('secrets', jsonb_build_object('title', secret));
END
$$;
SELECT pg_temp.fill('report_a', 'hidden-note-of-a');
SELECT pg_temp.fill('report_b', 'hidden-note-of-b');
SELECT qehs.use_tenant('report_a');
SELECT qehs.record_delete(qehs.record_create('cases', '{"title":"deleted","notes":"hidden-note-of-a"}') ->> 'id');
SELECT qehs.report_publish('report_b');
SELECT qehs.reporter_grant('report_reader_b', 'report_b');
SELECT id AS tenant_b FROM qehs.tenant WHERE slug = 'report_b' \gset
SELECT id AS tenant_a FROM qehs.tenant WHERE slug = 'report_a' \gset
SELECT id AS record_b FROM qehs.record WHERE tenant_id = :tenant_b ORDER BY id LIMIT 1 \gset
SELECT version() IS NOT NULL AS x, current_user AS me \gset
\o
\set ECHO all
\set VERBOSITY terse
\pset null '(null)'
SELECT qehs.reporter_grant('nobody_at_all', 'report_a');
SELECT qehs.reporter_grant('qehs_owner', 'report_a');
SELECT qehs.reporter_grant(current_user::text, 'report_a');
SELECT qehs.reporter_grant('report_reader_a', 'no_tenant');
SELECT qehs.reporter_grant('report_reader_a', 'report_a');
-- again, with nothing to tell
SELECT qehs.reporter_grant('report_reader_a', 'report_a');
SELECT qehs.reporter_grant('report_medic_a', 'report_a', '{medic}', audit => true);
SELECT rolname, rolconnlimit, setconfig FROM pg_roles LEFT JOIN pg_db_role_setting ON setrole = pg_roles.oid WHERE rolname IN ('report_reader_a', 'report_medic_a') ORDER BY 1;
\c - report_medic_a
SELECT title, notes, grade FROM report_report_a.cases;
SELECT part FROM report_report_a.cases__parts;
SELECT title FROM report_report_a.secrets;
SELECT title, notes FROM report_report_a.cases_deleted;
SELECT action, changes #>> '{payload,notes}' AS notes FROM report_report_a.audit ORDER BY id;
\c - report_reader_a
SET default_transaction_read_only = off;
-- what it may: the records of a module that its roles read, without the fields that they do not
SELECT right(display_code, 4) AS code, workflow_state, title, notes, grade FROM report_report_a.cases;
SELECT * FROM report_report_a.cases__parts;
SELECT module_key, action FROM report_report_a.record_activity ORDER BY id;
-- a module that its roles do not read, deleted records, the trail
SELECT count(*) FROM report_report_a.secrets;
SELECT count(*) FROM report_report_a.cases_deleted;
SELECT count(*) FROM report_report_a.audit;
-- 1 the other tenant's view
SELECT * FROM report_report_b.cases;
-- 2 its table field
SELECT * FROM report_report_b.cases__parts;
-- 3 the tables behind
SELECT payload FROM qehs.record;
-- 4 one column of one
SELECT count(id) FROM qehs.record;
-- 5 slots
SELECT t1 FROM qehs.record;
-- 6 events
SELECT changes FROM qehs.audit_event;
-- 7 definitions
SELECT definition FROM qehs.module_version;
-- 8 tenants
SELECT slug FROM qehs.tenant;
-- 9 people
SELECT user_name FROM qehs.user_account;
-- 10 keys and secrets
SELECT value FROM qehs.secret;
-- 11 who reports what
SELECT * FROM qehs.reporter;
-- 12 to act in a tenant
SELECT qehs.use_tenant('report_b');
-- 13 the API's functions
SELECT qehs.record_list('cases');
-- 14 to grant itself
SELECT qehs.reporter_grant('report_reader_a', 'report_b');
-- 15 the same by the inner function
SELECT qehs.reporter_keep('report_reader_a', 'report_b', '{medic}', true);
-- 16 to write itself in
INSERT INTO qehs.reporter VALUES (:tenant_b, 'report_reader_a', '{medic}');
-- 17 to use the schema
GRANT USAGE ON SCHEMA report_report_b TO report_reader_a;
-- 18 to become others
SET ROLE report_reader_b;
-- 19
SET SESSION AUTHORIZATION report_reader_b;
-- 20
SET ROLE qehs_owner;
-- 21 what the views ask, about others: nothing is told
SELECT qehs.report_reads(:tenant_b, 1), qehs.report_modules(:tenant_b), qehs.report_modules(:tenant_b, 'changes'), qehs.report_reads(:tenant_a, 1, 0, 'notes'), qehs.report_reads(:tenant_a, 2), qehs.report_reads(NULL, 1), qehs.report_reads(:tenant_b, 99), qehs.report_modules(NULL), qehs.report_name(:tenant_b, '00000000-0000-0000-0000-000000000000'), qehs.report_name(:tenant_a, '00000000-0000-0000-0000-000000000000');
-- 22 a function that tells what it is shown, in front of the conditions on tenant and module
CREATE FUNCTION pg_temp.tell(value anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'told: %', value; RETURN true; END$$;
SELECT title FROM report_report_a.cases WHERE pg_temp.tell(title);
-- 23 of the hidden field
SELECT title FROM report_report_a.cases WHERE pg_temp.tell(notes);
-- 24 of the whole row
SELECT title FROM report_report_a.cases AS c WHERE pg_temp.tell(to_jsonb(c) - ARRAY['id','display_code','created_at','updated_at']);
-- 25 of a module that it does not read, with all plans but a sequential scan off
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT title FROM report_report_a.secrets WHERE pg_temp.tell(title);
SELECT title FROM report_report_a.cases WHERE pg_temp.tell(right(display_code, 4));
RESET enable_indexscan;
RESET enable_bitmapscan;
-- 26 a function that calls itself leakproof
CREATE FUNCTION pg_temp.leakproof(value text) RETURNS boolean LANGUAGE plpgsql LEAKPROOF AS $$BEGIN RAISE NOTICE 'told: %', value; RETURN true; END$$;
-- 27 an operator of its own in front of those of PostgreSQL
CREATE FUNCTION pg_temp.same(a int4, b int4) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'told: % %', a, b; RETURN true; END$$;
CREATE OPERATOR pg_temp.= (LEFTARG = int4, RIGHTARG = int4, FUNCTION = pg_temp.same);
SET search_path = pg_temp, pg_catalog;
SELECT title FROM report_report_a.cases;
SELECT qehs.report_reads(:tenant_b, 1), qehs.report_modules(:tenant_b);
RESET search_path;
-- 28 a cast that fails on what it is shown
SELECT title FROM report_report_a.cases WHERE title::int = 1;
-- 29 of the hidden field, and of what is made of it
SELECT count(*) FROM report_report_a.cases WHERE notes::int = 1 OR grade::int = 1;
-- 30 division by zero
SELECT count(*) FROM report_report_a.cases WHERE 1 / (position('hidden' IN notes) - 1) = 1;
-- 31 aggregates, grouping, sorting, distinct, windows over the hidden field
SELECT count(notes), min(notes), array_agg(DISTINCT grade), max(length(notes)) FROM report_report_a.cases;
SELECT rank() OVER (ORDER BY notes), notes FROM report_report_a.cases GROUP BY notes;
-- 32 equality and prefixes, which reach no index of the hidden field
SELECT count(*) FROM report_report_a.cases WHERE notes = 'hidden-note-of-a';
SELECT count(*) FROM report_report_a.cases WHERE notes LIKE 'hidden%' OR grade LIKE 'hidden%' OR notes >= '';
-- 33 EXPLAIN ANALYZE: rows that are there, by the field that is hidden
CREATE FUNCTION pg_temp.rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	-- from release 18 on it has decimals
	RETURN (plan #>> '{0,Plan,Actual Rows}')::numeric::int;
END
$$;
SELECT pg_temp.rows_of($$SELECT * FROM report_report_a.cases WHERE notes = 'hidden-note-of-a'$$), pg_temp.rows_of($$SELECT * FROM report_report_a.secrets$$);
-- 34 EXPLAIN of the other tenant
EXPLAIN SELECT * FROM report_report_b.cases;
-- 35 statistics
SELECT count(*) FROM pg_stats WHERE schemaname = 'qehs';
SELECT count(*) FROM pg_stats_ext WHERE schemaname = 'qehs';
SELECT * FROM pg_statistic;
-- 36 other sessions' statements
SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%hidden%' AND usename <> current_user;
-- 37 prepared statements, cursors
PREPARE other AS SELECT title FROM report_report_b.cases;
PREPARE mine (text) AS SELECT count(*) FROM report_report_a.cases WHERE notes = $1;
EXECUTE mine ('hidden-note-of-a');
DECLARE all_of CURSOR WITH HOLD FOR SELECT * FROM qehs.record;
-- 38 COPY, also to a program and from files
COPY qehs.record TO STDOUT;
COPY (SELECT * FROM report_report_b.cases) TO STDOUT;
COPY (SELECT notes FROM report_report_a.cases) TO STDOUT;
-- releases of PostgreSQL say it in their own words
\set VERBOSITY sqlstate
COPY (SELECT 1) TO PROGRAM 'cat';
\set VERBOSITY terse
SELECT pg_read_file('postgresql.conf');
-- 39 large objects, other databases, extensions, untrusted languages
SELECT lo_import('/etc/passwd');
CREATE EXTENSION dblink;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION pageinspect;
CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE internal AS 'version';
-- 40 views, rules, policies, triggers and inheritance on what it does not own
CREATE VIEW pg_temp.v AS SELECT * FROM qehs.record;
SELECT * FROM pg_temp.v;
CREATE OR REPLACE VIEW report_report_a.cases AS SELECT 1 AS id;
ALTER VIEW report_report_a.cases RESET (security_barrier);
CREATE VIEW report_report_a.mine AS SELECT 1 AS x;
CREATE RULE r AS ON INSERT TO report_report_a.cases DO INSTEAD NOTHING;
CREATE TABLE pg_temp.child () INHERITS (qehs.record);
-- 41 writing through a view
UPDATE report_report_a.cases SET title = 'x';
DELETE FROM report_report_a.cases;
-- 42 row types and the catalog's text of a view
SELECT pg_get_viewdef('report_report_a.cases'::regclass) LIKE '%hidden%' AS told;
SELECT ('(1,2)'::qehs.record).payload;
SELECT count(*) FROM (SELECT (c).* FROM report_report_a.cases AS c) AS s WHERE notes IS NOT NULL;
SELECT row_to_json(c) ->> 'notes' AS notes FROM report_report_a.cases AS c;
-- 43 a sample, a lock, a join with itself
SELECT * FROM report_report_a.cases TABLESAMPLE SYSTEM (100);
SELECT title FROM report_report_a.cases FOR UPDATE;
SELECT count(*) FROM report_report_a.cases AS x JOIN report_report_a.cases AS y USING (notes);
-- 44 comments of what it may not read, and ids of other tenants
SELECT count(*) FROM report_report_a.record_activity WHERE module_key = 'secrets' OR record_id = :'record_b';
-- 45 privileges that the catalogs name
SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'report\_report\_b' AND has_table_privilege(oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE');
-- 46 joins of views, which are planned together: a function in front of the conditions of either, on what is hidden, on a module that it does not read
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM report_report_a.cases AS x JOIN report_report_a.cases AS y ON y.id = x.id WHERE pg_temp.tell(x.title || y.title);
SELECT count(*) FROM report_report_a.cases AS x LEFT JOIN report_report_a.secrets AS s ON pg_temp.tell(s.title);
SELECT count(*) FROM report_report_a.cases AS x LEFT JOIN report_report_a.cases AS y ON pg_temp.tell(y.notes) AND pg_temp.tell(y.grade);
SELECT count(*) FROM report_report_a.cases AS x LEFT JOIN LATERAL (SELECT p.part FROM report_report_a.cases__parts AS p WHERE p.record_id = x.id AND pg_temp.tell(p.part)) AS p ON true;
SELECT count(*) FROM report_report_a.cases AS x WHERE EXISTS (SELECT FROM report_report_a.secrets AS s WHERE pg_temp.tell(s.title));
WITH c AS NOT MATERIALIZED (SELECT * FROM report_report_a.cases) SELECT count(*) FROM c WHERE pg_temp.tell(c.title);
RESET enable_indexscan;
RESET enable_bitmapscan;
\c - :me
-- a suspended tenant tells nothing, one who is taken out neither
SELECT qehs.tenant_suspend('report_a') IS NOT NULL AS suspended;
SET ROLE report_reader_a;
SELECT count(*) FROM report_report_a.cases;
RESET ROLE;
SELECT qehs.tenant_resume('report_a') IS NOT NULL AS resumed;
SET ROLE report_reader_a;
SELECT count(*) FROM report_report_a.cases;
RESET ROLE;
SELECT qehs.reporter_revoke('report_reader_a', 'report_a');
SELECT qehs.reporter_revoke('report_reader_a', 'report_a');
SET ROLE report_reader_a;
SELECT count(*) FROM report_report_a.cases;
RESET ROLE;
-- a rule that comes later holds from then on, for old records too
SET client_min_messages = warning;
SELECT qehs.use_tenant('report_a');
SELECT qehs.reporter_grant('report_reader_a', 'report_a', '{viewer}');
SELECT qehs.module_publish('cases', (SELECT jsonb_set(definition, '{permissions,fields,title}', '{"read":["medic"]}') FROM qehs.module_version WHERE tenant_id = :tenant_a AND definition ->> 'key' = 'cases')) IS NOT NULL AS published;
SET ROLE report_reader_a;
SELECT title, notes FROM report_report_a.cases;
RESET ROLE;
SELECT qehs.tenant_suspend(slug) IS NOT NULL AND qehs.tenant_remove(slug) IS NOT NULL AS removed FROM (VALUES ('report_a'), ('report_b')) AS v (slug);
DROP OWNED BY report_reader_a, report_medic_a, report_reader_b;
DROP ROLE report_reader_a, report_medic_a, report_reader_b;
