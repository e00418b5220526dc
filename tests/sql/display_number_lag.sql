-- Display numbers that came in by another door, as from a restore into a running server, are passed over: by creates, and by loads
-- whose lines say when they were created, in whichever year that is.
\set VERBOSITY terse
\set tenant lagging
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
CREATE FUNCTION pg_temp.restored(year int, first int, last int) RETURNS bigint LANGUAGE sql AS $$
WITH made AS (INSERT INTO qehs.record (tenant_id, module_id, definition_version, id, display_no, created_at, created_by, updated_at, updated_by, workflow_state, payload)
	SELECT t.id, 1, 1, gen_random_uuid(), year * 1000000000::bigint + n, now(), gen_random_uuid(), now(), gen_random_uuid(), 'draft', '{}'
	FROM qehs.tenant AS t, generate_series(first, last) AS n WHERE slug = 'lagging' RETURNING 1)
SELECT count(*) FROM made
$$;
CREATE FUNCTION pg_temp.number(made json) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(made ->> 'displayCode', '20(2[6-9]|[3-9].)', 'now') $$;
CREATE FUNCTION pg_temp.loaded(title text, VARIADIC years text[]) RETURNS SETOF text LANGUAGE sql AS $$
SELECT a::json ->> 'status' FROM string_to_table(qehs.bulk_load('incidents', (SELECT convert_to(string_agg(
	format('{"payload":{"title":"%s","severity":"low"},"createdAt":"%s-05-05T00:00:00Z"}', title, y), E'\n' ORDER BY n), 'UTF8')
	FROM unnest(years) WITH ORDINALITY AS u (y, n))), E'\n') AS a WHERE a <> ''
$$;
CREATE FUNCTION pg_temp.numbers(title text) RETURNS SETOF bigint LANGUAGE sql AS $$
SELECT display_no FROM qehs.record WHERE payload ->> 'title' = $1 ORDER BY id
$$;
SELECT pg_temp.number(qehs.record_create('incidents', '{"title":"a","severity":"low"}'));
SELECT pg_temp.restored(extract(year FROM now() AT TIME ZONE 'UTC')::int, 2, 7);
SELECT pg_temp.number(qehs.record_create('incidents', '{"title":"b","severity":"low"}'));
SELECT pg_temp.number(qehs.record_create('incidents', '{"title":"c","severity":"low"}'));
SELECT pg_temp.loaded('first', '2019', '2020', '2019');
SELECT pg_temp.numbers('first');
SELECT pg_temp.restored(2019, 3, 9), pg_temp.restored(2020, 3, 4);
SELECT pg_temp.loaded('second', '2019', '2020', '2019', '2020', '2020');
SELECT pg_temp.numbers('second');
-- one line alone
SELECT pg_temp.restored(2019, 12, 12);
SELECT pg_temp.loaded('third', '2019');
SELECT pg_temp.numbers('third');
