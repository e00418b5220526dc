-- The list of a caller who may read the records of some locations alone reads them by the index of the slot of the location, not all records of the module.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('located', 'A tenant');
SELECT qehs.use_tenant('located');
SELECT qehs.user_create('ann', 'Ann', roles => '{supervisor}');
SELECT qehs.location_put('world', 'World'), qehs.location_put('berlin', 'Berlin', 'world'), qehs.location_put('hall', 'Hall', 'berlin', users => '{ann}'), qehs.location_put('bay', 'Bay', 'hall');
SELECT qehs.module_publish('hazards', '{"key":"hazards","name":"Hazards","displayCode":{"prefix":"HAZ"},"fields":[{"key":"title","type":"text"},{"key":"site","type":"location","indexed":true}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"location":"site","roles":{"supervisor":[{"actions":["create","read"],"scope":"location"}]}}}');
SELECT qehs.bulk_load('hazards', convert_to((SELECT string_agg(jsonb_build_object('title', 't' || i, 'site', CASE i % 1000 WHEN 0 THEN 'hall' WHEN 1 THEN 'bay' WHEN 2 THEN 'world' ELSE 'berlin' END)::text, E'\n') FROM generate_series(1, 5000) AS i), 'UTF8'));
ANALYZE qehs.record;
-- rows of records that a call reads from the table, and how often it enters an index of the first slot of texts
CREATE FUNCTION pg_temp.work() RETURNS TABLE (scans int8, entered int8, rows int8) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT coalesce(sum(pg_stat_get_xact_numscans(c.oid)) FILTER (WHERE c.relkind = 'r'), 0)::int8, coalesce(sum(pg_stat_get_xact_numscans(c.oid)) FILTER (WHERE c.relkind = 'i'), 0)::int8,
		coalesce(sum(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid)) FILTER (WHERE c.relkind = 'r'), 0)::int8
	FROM pg_class AS c WHERE c.oid = 'qehs.record'::regclass OR c.oid IN (SELECT i.indexrelid FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[]) WHERE i.indrelid = 'qehs.record'::regclass AND a.attname = 't1');
END $$;
CREATE FUNCTION pg_temp.listed(arguments text) RETURNS TABLE (items int, whole_scans int8, entered boolean, few_rows boolean) LANGUAGE plpgsql AS $$
DECLARE
	before record;
	after record;
	list json;
BEGIN
	SELECT * INTO before FROM pg_temp.work();
	EXECUTE format('SELECT qehs.record_list(%s)', arguments) INTO list;
	SELECT * INTO after FROM pg_temp.work();
	RETURN QUERY SELECT json_array_length(list -> 'items'), after.scans - before.scans, after.entered > before.entered, after.rows - before.rows < 200;
END $$;
\o
\set ECHO all
SELECT qehs.use_tenant('located', 'ann') IS NOT NULL AS entered;
SELECT * FROM pg_temp.listed($$'hazards', count => 'exact'$$);
SELECT * FROM pg_temp.listed($$'hazards', '{"title":{"startsWith":"t1"}}'$$);
SELECT * FROM pg_temp.listed($$'hazards', '{"site":"bay"}'$$);
-- nothing is elsewhere for her
SELECT * FROM pg_temp.listed($$'hazards', '{"site":{"nin":["hall"]}}'$$);
