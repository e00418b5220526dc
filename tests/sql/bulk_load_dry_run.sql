-- A dry run finds what the load would find: lines are held against those before them, of the same chunk and of earlier ones.
\set VERBOSITY terse
\set tenant dryrun
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
CREATE FUNCTION pg_temp.checked(lines text, first_line bigint DEFAULT 1, on_conflict text DEFAULT NULL) RETURNS SETOF jsonb
BEGIN ATOMIC
	SELECT jsonb_set_lax(a.line::jsonb - 'id', '{errors}', jsonb_path_query_array(a.line::jsonb, '$.errors[*].code') ||
		jsonb_path_query_array(a.line::jsonb, '$.errors[*].path'), false)
	FROM string_to_table(qehs.bulk_load('incidents', convert_to(lines, 'UTF8'), first_line, NULL, true, on_conflict,
		CASE WHEN on_conflict IS NOT NULL THEN 'badge' END), E'\n') AS a (line) WHERE a.line <> '';
END;
SELECT qehs.bulk_begin('incidents', dry_run => true);
-- values and keys of the same chunk
SELECT * FROM pg_temp.checked(E'{"title":"1","severity":"low","badge":"A"}\n{"title":"2","severity":"low","badge":"A"}\n{"title":"3","severity":"none","badge":"B"}\n{"title":"4","severity":"low","badge":"B"}\n'
	'{"payload":{"title":"5","severity":"low","badge":"C"},"idempotencyKey":"k"}\n{"payload":{"title":"5","severity":"low","badge":"C"},"idempotencyKey":"k"}\n{"payload":{"title":"7","severity":"low"},"idempotencyKey":"k"}\n'
	'{"payload":{"title":"8","severity":"low","badge":"A"},"idempotencyKey":"l"}\n{"payload":{"title":"9","severity":"low"},"idempotencyKey":"l"}');
-- of an earlier chunk, in another transaction
SELECT * FROM pg_temp.checked(E'{"title":"10","severity":"low","badge":"A"}\n{"title":"11","severity":"low","badge":"B"}\n{"payload":{"title":"12","severity":"low"},"idempotencyKey":"k"}\n{"title":"13","severity":"low","badge":"D"}', 10);
-- the same chunk again is not held against itself
SELECT * FROM pg_temp.checked(E'{"title":"13","severity":"low","badge":"D"}', 13);
-- line 1 begins anew, and so does the next load
SELECT * FROM pg_temp.checked(E'{"title":"1","severity":"low","badge":"A"}');
SELECT qehs.bulk_end();
SELECT * FROM pg_temp.checked(E'{"title":"2","severity":"low","badge":"A"}', 2);
-- without bulk_begin as long as the transaction
BEGIN;
SELECT * FROM pg_temp.checked(E'{"title":"1","severity":"low","badge":"A"}');
SELECT * FROM pg_temp.checked(E'{"title":"2","severity":"low","badge":"A"}', 2);
COMMIT;
SELECT * FROM pg_temp.checked(E'{"title":"2","severity":"low","badge":"A"}', 2);
-- many values: the table grows
BEGIN;
SELECT count(*) AS lines, count(*) FILTER (WHERE line::jsonb ->> 'status' = 'valid') AS valid FROM string_to_table(qehs.bulk_load('incidents',
	convert_to((SELECT string_agg(format('{"title":"%s","severity":"low","badge":"M%s"}', n, n % 4000), E'\n' ORDER BY n) FROM generate_series(1, 6000) AS n), 'UTF8'), dry_run => true), E'\n') AS line WHERE line <> '';
SELECT * FROM pg_temp.checked(E'{"title":"6001","severity":"low","badge":"M3999"}\n{"title":"6002","severity":"low","badge":"M4000"}', 6001);
ROLLBACK;
-- an upsert merges into what the line before would have made of the record
SELECT qehs.record_create('incidents', '{"title":"there","severity":"low","badge":"X"}')::jsonb -> 'version' AS version;
SELECT * FROM pg_temp.checked(E'{"badge":"X","title":null}\n{"badge":"X","severity":"high"}\n{"title":"new","severity":"low","badge":"Y"}\n{"badge":"Y","severity":"high"}\n{"badge":"Y","severity":null}\n{"badge":"Y","cost":1}\n{"badge":"Z","cost":1}\n{"badge":"Z","title":"z","severity":"low"}\n{"badge":"Z","cost":-1}\n{"badge":"Z","cost":2}', 1, 'update');
SELECT payload, version FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'dryrun');
-- and the load agrees
SELECT a.line::jsonb -> 'line' AS line, a.line::jsonb ->> 'status' AS status FROM string_to_table(qehs.bulk_load('incidents',
	convert_to(E'{"badge":"X","title":null}\n{"badge":"X","severity":"high"}\n{"title":"new","severity":"low","badge":"Y"}\n{"badge":"Y","severity":"high"}\n{"badge":"Y","severity":null}\n{"badge":"Y","cost":1}\n{"badge":"Z","cost":1}\n{"badge":"Z","title":"z","severity":"low"}\n{"badge":"Z","cost":-1}\n{"badge":"Z","cost":2}', 'UTF8'),
	on_conflict => 'update', external_id => 'badge'), E'\n') AS a (line) WHERE a.line <> '';
-- lines of later chunks merge into what those of earlier ones would have made; other unique values are looked at, too, but not held
-- against the record's own
BEGIN;
SELECT * FROM pg_temp.checked(E'{"badge":"V","title":"v","severity":"low"}\n{"badge":"X","title":"x","severity":"low"}', 1, 'update');
SELECT * FROM pg_temp.checked(E'{"badge":"V","severity":"high"}\n{"badge":"X","title":null}\n{"badge":"X","cost":3}', 3, 'update');
SELECT * FROM pg_temp.checked(E'{"badge":"V","title":null}\n{"badge":"V","severity":null,"cost":2}\n{"badge":"W","cost":2}', 6, 'update');
COMMIT;
SELECT qehs.module_publish('tagged', '{"key":"tagged","name":"Tagged","displayCode":{"prefix":"T"},"workflow":{"states":["open"],"initial":"open"},
	"fields":[{"key":"badge","type":"identifier"},{"key":"tag","type":"text","unique":true}]}') IS NOT NULL AS published;
SELECT qehs.record_create('tagged', '{"badge":"1","tag":"one"}') IS NOT NULL, qehs.record_create('tagged', '{"badge":"2","tag":"two"}') IS NOT NULL;
SELECT dry, a.line::jsonb -> 'line' AS line, a.line::jsonb ->> 'status' AS status, a.line::jsonb #>> '{errors,0,path}' AS path FROM unnest('{true,false}'::boolean[]) AS dry,
	string_to_table(qehs.bulk_load('tagged', convert_to(E'{"badge":"1","tag":"one"}\n{"badge":"1","tag":"two"}\n{"badge":"3","tag":"three"}\n{"badge":"2","tag":"three"}\n'
		'{"badge":"3","tag":"three"}\n{"badge":"4","tag":"three"}', 'UTF8'), dry_run => dry, on_conflict => 'update', external_id => 'badge'), E'\n') AS a (line) WHERE a.line <> '';
-- a table, in chunks
CREATE TEMP TABLE staged (document json);
INSERT INTO staged SELECT json_build_object('title', n::text, 'severity', 'low', 'badge', 'S' || n % 4) FROM generate_series(1, 6) AS n;
SELECT line FROM qehs.bulk_load_table('incidents', 'staged', 'document', dry_run => true, chunk_rows => 2) AS line;
