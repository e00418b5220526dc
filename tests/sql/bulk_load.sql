-- Chunks of NDJSON: each kind of line, replays, twins, dry runs, what callers may.
\set VERBOSITY terse
\set tenant bulk
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
-- The tenant's own rows: other tests share the database.
CREATE TEMP VIEW own_record AS SELECT * FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulk');
CREATE TEMP VIEW own_record_unique AS SELECT * FROM qehs.record_unique WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulk');
CREATE TEMP VIEW own_idempotency AS SELECT * FROM qehs.idempotency WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulk');
-- An answer line without what differs from run to run and from one PostgreSQL to the next.
CREATE FUNCTION pg_temp.loaded(lines text, first_line bigint DEFAULT 1, batch_key text DEFAULT NULL, dry_run boolean DEFAULT false,
	on_conflict text DEFAULT NULL, external_id text DEFAULT NULL, on_error text DEFAULT NULL) RETURNS SETOF jsonb
BEGIN ATOMIC
	SELECT jsonb_set_lax(a.line::jsonb - 'id', '{errors}', jsonb_path_query_array(a.line::jsonb, '$.errors[*].code') ||
		jsonb_path_query_array(a.line::jsonb, '$.errors[*].path'), false)
	FROM string_to_table(qehs.bulk_load('incidents', convert_to(lines, 'UTF8'), first_line, batch_key, dry_run, on_conflict,
		external_id, on_error), E'\n') AS a (line) WHERE a.line <> '';
END;
-- payload, envelope, CRLF, empty lines, no newline at the end
SELECT * FROM pg_temp.loaded(E'\ufeff{"title":"a","severity":"low"}\r\n\n  \n{"payload":{"title":"b","severity":"high"},"workflowState":"closed","createdAt":"2019-05-06T07:08:09Z"}\n{"title":"c","severity":"low","risk":{"likelihood":4,"severity":5}}');
SELECT display_no / 1000000000 = extract(year FROM now() AT TIME ZONE 'UTC') AS this_year, display_no % 1000000000 AS number, workflow_state, payload, created_at = updated_at AS new, n1, t1
FROM own_record ORDER BY payload ->> 'title';
SELECT action, to_state, record_version, at = updated_at AS at_load FROM qehs.audit_event AS e JOIN own_record AS r ON r.id = e.record_id ORDER BY e.id;
SELECT display_no FROM own_record WHERE created_at < '2020-01-01';
-- each kind of bad line, among good ones
SELECT * FROM pg_temp.loaded($lines${"title":"good 1","severity":"low"}
{"title":"x","severity":"low"
{"title":"x","severity":"low"} trailing
nonsense
[1,2]
"text"
{"title":"x","severity":"low","title":"y"}
{"title":"x","severity":"low","a":{"b":1,"c":2,"b":3}}
{"title":"x\u0000","severity":"low"}
{"title":"\ud800","severity":"low"}
{"title":"x","severity":"low","cost":1e400000}
{"title":"x","severity":"low","cost":01}
{"title":"much longer than twenty characters","severity":"urgent","cost":-1,"nosuch":1}
{"severity":"critical"}
{"payload":{"title":"x","severity":"low"},"workflowState":"nowhere","createdAt":"yesterday","idempotencyKey":"k"}
{"payload":{"title":"x","severity":"low"},"workflowState":1,"createdAt":"2999-01-01T00:00:00Z"}
{"payload":{"title":"x","severity":"low"},"idempotencyKey":""}
{"payload":{"title":"x","severity":"low"},"idempotencyKey":7}
{"payload":{"title":"x","severity":"low"},"other":1}
{"payload":"x"}
{"title":"good 2","severity":"low"}
$lines$, 100);
SELECT jsonb_path_query_array(line::jsonb, '$.errors[*].code') FROM (VALUES ('\x7b2261223a22ff227d'::bytea), ('\x7b2261223a2200227d'),
	('\x7b2261223a22eda080227d'), (convert_to(repeat('[', 65), 'UTF8')), (convert_to(repeat('{"a":', 100000), 'UTF8')),
	(convert_to('{"a":"' || repeat('x', 67108864) || '"}', 'UTF8'))) AS v (bytes), qehs.bulk_load('incidents', bytes) AS line;
SELECT qehs.bulk_load('incidents', convert_to('{"title":"x","severity":"low","title":"y"}', 'UTF8'));
SELECT qehs.bulk_load('incidents', ''), qehs.bulk_load('incidents', NULL);
SELECT count(*) FROM own_record WHERE payload ->> 'title' LIKE 'good%';
-- a batch key: each line once, whatever the chunks are
SELECT * FROM pg_temp.loaded(E'{"title":"k1","severity":"low"}\n{"title":"k2"}\n{"title":"k3","severity":"low"}', batch_key => 'b');
SELECT * FROM pg_temp.loaded(E'{"title":"k1","severity":"low"}\n{"title":"k2","severity":"low"}\n', batch_key => 'b');
SELECT * FROM pg_temp.loaded(E'{"title":"k3","severity":"low"}\n{"title":"k4","severity":"low"}', 3, 'b');
SELECT * FROM pg_temp.loaded(E'{"title":"other","severity":"low"}', 3, 'b');
SELECT payload ->> 'title' AS title, count(*), (SELECT count(*) FROM qehs.audit_event AS e WHERE e.record_id = min(r.id::text)::uuid) AS events
FROM own_record AS r WHERE payload ->> 'title' LIKE 'k_' GROUP BY 1 ORDER BY 1;
-- keys of lines, twins within a chunk, a key that was freed by a failure, an expired one
SELECT * FROM pg_temp.loaded(E'{"payload":{"title":"o1","severity":"low"},"idempotencyKey":"own"}\n{"payload":{"title":"o1","severity":"low"},"idempotencyKey":"own"}\n{"payload":{"title":"o2","severity":"low"},"idempotencyKey":"own"}', batch_key => 'c');
SELECT * FROM pg_temp.loaded(E'{"payload":{"title":"o1","severity":"low"},"idempotency\\u004bey":"own"}');
SELECT * FROM pg_temp.loaded(E'{"payload":{"title":"f1","badge":"F","severity":"low"}}\n{"payload":{"title":"f2","badge":"F","severity":"low"},"idempotencyKey":"f"}\n{"payload":{"title":"f3","severity":"low"},"idempotencyKey":"f"}');
UPDATE qehs.idempotency SET created_at = now() - interval '25 hours' WHERE idempotency_key = 'own';
SELECT * FROM pg_temp.loaded(E'{"payload":{"title":"o3","severity":"low"},"idempotencyKey":"own"}');
SELECT idempotency_key, status, body LIKE 'rec_%' AS has_id FROM own_idempotency ORDER BY 1;
-- unique values: in the table, and within the chunk
SELECT * FROM pg_temp.loaded(E'{"title":"u1","severity":"low","badge":"U"}\n{"title":"u2","severity":"low","badge":"U"}\n{"title":"u3","severity":"low","badge":"V"}\n{"title":"u4","severity":"low","badge":"F"}');
SELECT * FROM pg_temp.loaded(E'{"title":"d1","severity":"low","badge":"D"}\n{"title":"d2","severity":"low","badge":"D"}\n{"title":"d3","severity":"low","badge":"V"}\n{"title":"d4","severity":"none"}', dry_run => true);
SELECT value FROM own_record_unique ORDER BY 1;
-- with several unique fields a line that fails gives back what it took for a moment
SELECT qehs.module_publish('pairs', '{"key":"pairs","name":"Pairs","displayCode":{"prefix":"PAI"},"fields":[{"key":"a","type":"identifier"},
	{"key":"b","type":"identifier"}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
SET qehs.clock = '2026-11-20T08:30:00Z';
SELECT line::jsonb - 'id' AS line FROM string_to_table(qehs.bulk_load('pairs', E'{"a":"1","b":"1"}\n{"a":"2","b":"1"}\n{"a":"2","b":"2"}'), E'\n') AS line WHERE line <> '';
RESET qehs.clock;
SELECT field, value FROM own_record_unique AS u JOIN qehs.module AS m ON m.id = u.module_id AND m.key = 'pairs' ORDER BY 1, 2;
-- stop at the first failure, whichever phase finds it
SELECT * FROM pg_temp.loaded(E'{"title":"s1","severity":"low","badge":"S1"}\n{"title":"s2"}\n{"title":"s3","severity":"low","badge":"S3"}', batch_key => 's', on_error => 'stop');
SELECT * FROM pg_temp.loaded(E'{"title":"s4","severity":"low"}\n{"title":"s5","severity":"low","badge":"S1"}\n{"title":"s6","severity":"low","badge":"S6"}\n{"title":"s7"}', batch_key => 't', on_error => 'stop');
SELECT payload ->> 'title' AS title FROM own_record WHERE payload ->> 'title' LIKE 's_' ORDER BY 1;
SELECT idempotency_key FROM own_idempotency WHERE idempotency_key ~ '^[st]#' ORDER BY 1;
SELECT value FROM own_record_unique WHERE value LIKE 'S_' ORDER BY 1;
-- upsert: a record that exists, one that the chunk makes, a patch that removes, a clash, one without the field
SELECT * FROM pg_temp.loaded(E'{"title":"new","severity":"low","badge":"S1","cost":5}\n{"title":"x1","severity":"low","badge":"X1"}\n{"badge":"X1","severity":"high"}\n{"badge":"S1","cost":null}\n{"badge":"S1","severity":"none"}\n{"title":"x2","severity":"low"}\n{"badge":"S1"}\n{"badge":"new"}',
	on_conflict => 'update', external_id => 'badge', batch_key => 'up');
SELECT * FROM pg_temp.loaded(E'{"title":"new","severity":"low","badge":"S1","cost":5}', on_conflict => 'update', external_id => 'badge', batch_key => 'up');
SELECT payload, version, (SELECT count(*) FROM qehs.audit_event AS e WHERE e.record_id = r.id) AS events
FROM own_record AS r WHERE payload ->> 'badge' IN ('S1', 'X1') ORDER BY payload ->> 'badge';
SELECT * FROM pg_temp.loaded(E'{"payload":{"badge":"X1"},"workflowState":"submitted"}\n{"payload":{"badge":"X1"},"createdAt":"2020-01-01T00:00:00Z"}', on_conflict => 'update', external_id => 'badge');
SELECT * FROM pg_temp.loaded(E'{"badge":"X1","cost":-1}\n{"badge":"X1","cost":1}\n{"title":"y","severity":"low","badge":"Y"}\n{"badge":"Y","severity":"low"}', dry_run => true, on_conflict => 'update', external_id => 'badge');
-- parameters
SELECT qehs.bulk_load('nosuch', '');
SELECT qehs.bulk_load('incidents', '', 0);
SELECT qehs.bulk_load('incidents', '', batch_key => '');
SELECT qehs.bulk_load('incidents', '', on_conflict => 'ignore');
SELECT qehs.bulk_load('incidents', '', on_conflict => 'update');
SELECT qehs.bulk_load('incidents', '', external_id => 'badge');
SELECT qehs.bulk_load('incidents', '', on_conflict => 'update', external_id => 'title');
SELECT qehs.bulk_load('incidents', '', on_error => 'go');
SELECT qehs.bulk_begin('incidents', 'half');
SELECT qehs.bulk_begin('nosuch');
-- places: one at a time here, and none is left when it is taken
SELECT qehs.rate_limit_set('bulk', 1);
SELECT qehs.bulk_begin('incidents', 'atomic'), qehs.bulk_begin('incidents');
SELECT classid > 0 AS tenant, objid, objsubid FROM pg_locks WHERE locktype = 'advisory' AND objsubid IN (5, 6) AND pid = pg_backend_pid();
SELECT qehs.bulk_end(), qehs.bulk_end();
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid IN (5, 6) AND pid = pg_backend_pid();
-- a user who may create, but not say in which state or when; a viewer who may not even create
SELECT qehs.user_create('worker', 'A worker', roles => ARRAY['tenant-user'])::jsonb ->> 'userName' AS name;
SELECT qehs.user_create('reader', 'A reader', roles => ARRAY['viewer'])::jsonb ->> 'userName' AS name;
SELECT qehs.use_tenant('bulk', 'worker');
SELECT * FROM pg_temp.loaded(E'{"title":"w1","severity":"low"}\n{"payload":{"title":"w2","severity":"low"},"workflowState":"draft"}\n{"payload":{"title":"w3","severity":"low"},"workflowState":"closed"}\n{"payload":{"title":"w4","severity":"low"},"createdAt":"2020-01-01T00:00:00Z"}');
SELECT qehs.use_tenant('bulk', 'reader');
SELECT qehs.bulk_load('incidents', '');
SELECT qehs.bulk_begin('incidents');
-- a table's column, in chunks; line breaks within a value, a NULL
SELECT qehs.use_tenant('bulk');
CREATE TEMP TABLE staged (document json);
INSERT INTO staged SELECT json_build_object('title', 'from table ' || n, 'severity', CASE n WHEN 5 THEN 'none' ELSE 'low' END) FROM generate_series(1, 7) AS n;
INSERT INTO staged VALUES (NULL), (E'{"title":\r\n"from table 9",\n"severity":"low"}');
SELECT line::jsonb - 'id' AS line FROM qehs.bulk_load_table('incidents', 'staged', 'document', batch_key => 'staged', chunk_rows => 3) AS line;
SELECT line::jsonb ->> 'status' AS status, count(*) FROM qehs.bulk_load_table('incidents', 'staged', 'document', batch_key => 'staged') AS line GROUP BY 1 ORDER BY 1;
SELECT qehs.bulk_load_table('incidents', 'staged', 'nosuch');
SELECT qehs.bulk_load_table('incidents', 'staged', 'document', chunk_rows => 0);
-- a module that demands If-Match has no upsert
SELECT qehs.module_publish('guarded', '{"key":"guarded","name":"Guarded","displayCode":{"prefix":"GUA"},"requireIfMatch":true,"fields":[{"key":"a","type":"identifier"}],
	"workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.bulk_begin('guarded'), qehs.bulk_end();
SELECT qehs.bulk_begin('guarded', on_conflict => 'update', external_id => 'a');
