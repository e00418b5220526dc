-- What PostgreSQL cannot put into an index is refused with its place before any statement, or, where it need not be there whole, taken.
\set VERBOSITY terse
\set ECHO none
SET qehs.clock = '2026-11-20T08:30:00Z';
SELECT qehs.tenant_create('limits', 'Limits') \g /dev/null
SELECT qehs.use_tenant('limits') \g /dev/null
CREATE FUNCTION pg_temp.noise(bytes int, seed int) RETURNS text LANGUAGE sql AS $$
SELECT left(string_agg(md5((n * seed)::text), ''), bytes) FROM generate_series(1, bytes / 32 + 1) AS n
$$;
CREATE FUNCTION pg_temp.errors(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || COALESCE(NULLIF(detail, ''), SQLERRM);
END
$$;
CREATE FUNCTION pg_temp.loaded(dry boolean, VARIADIC seeds int[]) RETURNS TABLE (line json, status text, path text) LANGUAGE sql AS $$
SELECT a::json -> 'line', a::json ->> 'status', a::json #>> '{errors,0,path}' FROM string_to_table(qehs.bulk_load('limits',
	(SELECT convert_to(string_agg(jsonb_build_object('code', pg_temp.noise(300000, s))::text, E'\n' ORDER BY n), 'UTF8') FROM unnest(seeds) WITH ORDINALITY AS u (s, n)),
	dry_run => dry), E'\n') AS a WHERE a <> ''
$$;
SELECT qehs.module_publish('limits', '{"key":"limits","name":"Limits","displayCode":{"prefix":"L"},"workflow":{"states":["open"],"initial":"open"},
	"fields":[{"key":"code","type":"text","unique":true,"indexed":true,"maxLength":900000},{"key":"note","type":"text","maxLength":900000}]}') \g /dev/null
\set ECHO all
SELECT pg_temp.errors($$ SELECT qehs.user_create(pg_temp.noise(9000, 3), 'x') $$);
SELECT pg_temp.errors($$ SELECT qehs.user_create('x', pg_temp.noise(9000, 3)) $$);
SELECT pg_temp.errors($$ SELECT qehs.user_create('x', 'x', roles => ARRAY['viewer', pg_temp.noise(9000, 3), 'Viewer']) $$);
SELECT pg_temp.errors($$ SELECT qehs.tenant_create('y', pg_temp.noise(9000, 3)) $$);
SELECT pg_temp.errors($$ SELECT qehs.jsonschema_register('https://example.com/' || pg_temp.noise(9000, 3), 'true') $$);
-- unique values of 300 kB: alone, twice, by a dry run and a load
SELECT pg_temp.errors($$ SELECT qehs.record_create('limits', jsonb_build_object('code', pg_temp.noise(300000, 5))) $$);
SELECT pg_temp.errors($$ SELECT qehs.record_create('limits', jsonb_build_object('code', pg_temp.noise(300000, 5))) $$);
SELECT * FROM pg_temp.loaded(true, 5, 7, 11, 7);
SELECT * FROM pg_temp.loaded(false, 5, 7, 11, 7);
SELECT json_array_length(qehs.record_list('limits', jsonb_build_object('code', pg_temp.noise(300000, 7))) -> 'items') AS found;
-- a long text that is not searchable does not stand in the way of q
SELECT pg_temp.errors($$ SELECT qehs.record_create('limits', (SELECT jsonb_build_object('note', 'beginning ' || string_agg(md5(n::text), ' ')) FROM generate_series(1, 25000) AS n)) $$);
SELECT json_array_length(qehs.record_list('limits', q => 'beginning') -> 'items') AS found;
-- the same at the doors of a change: an update, and an upsert of a line that is there
SELECT pg_temp.errors(format($$ SELECT qehs.record_update(%L, jsonb_build_object('code', pg_temp.noise(800000, 13), 'note', (SELECT string_agg(md5(n::text), ' ') FROM generate_series(1, 25000) AS n))) $$, id))
FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'limits') AND payload ->> 'note' LIKE 'beginning %';
SELECT pg_temp.errors($$ SELECT qehs.bulk_load('limits', convert_to(jsonb_build_object('code', pg_temp.noise(800000, 13), 'note', 'new')::text, 'UTF8'), on_conflict => 'update', external_id => 'code') $$);
SELECT json_array_length(qehs.record_list('limits', jsonb_build_object('code', pg_temp.noise(800000, 13), 'note', 'new')) -> 'items') AS found;
SELECT pg_temp.errors($$ SELECT qehs.scim_user_create(jsonb_build_object('schemas', jsonb_build_array('urn:ietf:params:scim:schemas:core:2.0:User'), 'userName', pg_temp.noise(9000, 3))) $$);
SELECT pg_temp.errors($$ SELECT qehs.scim_group_create(jsonb_build_object('schemas', jsonb_build_array('urn:ietf:params:scim:schemas:core:2.0:Group'), 'displayName', pg_temp.noise(9000, 3))) $$);
