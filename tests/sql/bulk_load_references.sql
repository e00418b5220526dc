-- Records and users that lines name are looked up once for a chunk, whatever there is of them.
\set VERBOSITY terse
\set tenant bulkrefs
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT qehs.module_publish('follow', '{"key":"follow","name":"Follow","displayCode":{"prefix":"FOL"},"fields":[{"key":"title","type":"text"},
	{"key":"ref","type":"identifier"},{"key":"incident","type":"record-reference","references":"incidents"},{"key":"owner","type":"user"},
	{"key":"steps","type":"table","fields":[{"key":"who","type":"user"}]}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('incidents', '{"title":"one","severity":"low"}')::jsonb ->> 'id' AS one, qehs.record_create('incidents', '{"title":"two","severity":"low"}')::jsonb ->> 'id' AS two,
	qehs.record_create('incidents', '{"title":"gone","severity":"low"}')::jsonb ->> 'id' AS gone, qehs.record_create('follow', '{"title":"other"}')::jsonb ->> 'id' AS other,
	qehs.user_create('bulk-ann', 'Ann')::jsonb ->> 'id' AS ann \gset
SELECT qehs.record_delete(:'gone');
CREATE FUNCTION pg_temp.loaded(lines text, dry_run boolean DEFAULT false) RETURNS SETOF jsonb
BEGIN ATOMIC
	SELECT jsonb_set_lax(a.line::jsonb - 'id', '{errors}', jsonb_path_query_array(a.line::jsonb, '$.errors[*].code') ||
		jsonb_path_query_array(a.line::jsonb, '$.errors[*].path'), false)
	FROM string_to_table(qehs.bulk_load('follow', convert_to(lines, 'UTF8'), dry_run => dry_run), E'\n') AS a (line) WHERE a.line <> '';
END;
SELECT format(E'{"incident":"%1$s","owner":"%5$s"}\n{"incident":"%2$s"}\n{"incident":"%3$s"}\n{"incident":"%4$s"}\n{"incident":"rec_00000000000000000000000000"}\n{"owner":"usr_00000000000000000000000000"}\n'
	'{"incident":"nonsense","owner":7}\n{"owner":"%1$s"}\n{"steps":[{"who":"%5$s"},{"who":"usr_00000000000000000000000000"}]}\n{"payload":{"incident":"%1$s"},"idempotencyKey":"k"}\n{"incident":null}\n{', :'one', :'two', :'gone', :'other', :'ann') AS lines \gset
SELECT * FROM pg_temp.loaded(:'lines', true);
SELECT * FROM pg_temp.loaded(:'lines');
-- many at once
CREATE FUNCTION pg_temp.made(count int) RETURNS text LANGUAGE sql RETURN (SELECT string_agg(format('{"incident":"%s"}', qehs.record_create('incidents', '{"title":"x","severity":"low"}')::jsonb ->> 'id'), E'\n') FROM generate_series(1, count));
SELECT count(*) AS loaded FROM pg_temp.loaded(pg_temp.made(500)) AS l WHERE l ->> 'status' = 'created';
-- codes beside ids of the same records, before and behind them, in another case, and those of no record or of another module
SELECT qehs.record_get(:'one')::jsonb ->> 'displayCode' AS one_code, qehs.record_get(:'two')::jsonb ->> 'displayCode' AS two_code, qehs.record_get(:'other')::jsonb ->> 'displayCode' AS other_code \gset
SELECT * FROM pg_temp.loaded(format(E'{"incident":"%1$s"}\n{"incident":"%2$s"}\n{"incident":"%3$s"}\n{"incident":"%4$s"}\n{"incident":"%5$s"}\n{"incident":"%6$s"}\n{"incident":"INC-1999-0001"}', :'one_code', :'one', lower(:'one_code'), :'two', :'two_code', :'other_code'));
SELECT payload ->> 'incident' = :'one' AS is_one, count(*) FROM qehs.record AS r WHERE payload ->> 'incident' IN (:'one', :'two') GROUP BY 1 ORDER BY 1;
