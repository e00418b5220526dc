-- What a caller was shown he may send back: of what the server writes, the values of before count as left out, in a patch, a transition and an upsert.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('sentback', 'A tenant');
SELECT qehs.use_tenant('sentback');
SELECT qehs.module_publish('orders', '{"key":"orders","name":"Orders","displayCode":{"prefix":"O"},
 "fields":[{"key":"no","type":"identifier"},{"key":"price","type":"number"},{"key":"count","type":"integer"},{"key":"total","type":"computed","expression":"$.price * $.count"},
  {"key":"label","type":"computed","expression":"$.no"},{"key":"risk","type":"matrix-score"},{"key":"secret","type":"text"},{"key":"hidden","type":"computed","expression":"$.price"},
  {"key":"box","type":"object","fields":[{"key":"w","type":"number"},{"key":"area","type":"computed","expression":"$.w * $.w"},{"key":"risk","type":"matrix-score"}]},
  {"key":"lines","type":"table","fields":[{"key":"n","type":"integer"},{"key":"twice","type":"computed","expression":"$.n * 2"},{"key":"risk","type":"matrix-score"}]}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}},
 "permissions":{"roles":{"tenant-user":["read","create","update","transition"]},"fields":{"hidden":{"read":["tenant-owner"],"write":["tenant-owner"]}}}}');
\i sql/include/faults.psql
-- The payload as it is read now, with a change, sent back.
CREATE FUNCTION pg_temp.sent_back(id text, change jsonb) RETURNS text LANGUAGE sql
	RETURN pg_temp.faults(format('SELECT qehs.record_update(%L, %L)', id, (qehs.record_get(id) -> 'payload')::jsonb || change));
\o
\set ECHO all
\pset format unaligned
\pset tuples_only on
SELECT qehs.record_create('orders', '{"no":"A1","price":2,"count":3,"risk":{"likelihood":2,"severity":3},"box":{"w":4,"risk":{"likelihood":1,"severity":1}},
 "lines":[{"n":1,"risk":{"likelihood":1,"severity":2}},{"n":5},{"n":7,"risk":{"likelihood":3,"severity":3}}]}')::json ->> 'id' AS id \gset
-- one input of each kind is changed
SELECT pg_temp.sent_back(:'id', '{"price":10}');
SELECT pg_temp.sent_back(:'id', '{"risk":{"likelihood":5,"severity":5,"score":6,"band":"medium"}}');
SELECT pg_temp.sent_back(:'id', '{"box":{"w":3,"area":16,"risk":{"likelihood":4,"severity":4,"score":1,"band":"low"}}}');
-- a row is taken out, and another changed
SELECT pg_temp.sent_back(:'id', '{"lines":[{"n":6,"twice":10},{"n":7,"twice":14,"risk":{"likelihood":1,"severity":3,"score":9,"band":"medium"}}]}');
-- null stands for what there was none of
SELECT pg_temp.sent_back(:'id', '{"count":null}');
SELECT pg_temp.sent_back(:'id', '{"total":null,"count":2}');
-- what it is after the change may be sent as well; all else is refused
SELECT pg_temp.sent_back(:'id', '{"count":3,"total":30}');
SELECT pg_temp.sent_back(:'id', '{"count":4,"total":31,"box":{"w":3,"area":8,"risk":{"likelihood":4,"severity":4,"score":17,"band":"none"}},"lines":[{"n":6,"twice":11}]}');
SELECT pg_temp.sent_back(:'id', '{"total":null}');
-- a transition and an upsert do the same
SELECT pg_temp.faults(format('SELECT qehs.record_transition(%L, ''finish'', %L)', :'id', (qehs.record_get(:'id') -> 'payload')::jsonb || '{"price":1}'));
SELECT a::json ->> 'status', a::json -> 'errors' FROM string_to_table(qehs.bulk_load('orders', convert_to(((qehs.record_get(:'id') -> 'payload')::jsonb || '{"price":5}')::text, 'UTF8'),
	external_id => 'no', on_conflict => 'update'), E'\n') AS a WHERE a <> '' AND a NOT LIKE '%summary%';
SELECT qehs.record_get(:'id') -> 'payload' ->> 'total';
-- a new record was never shown
SELECT pg_temp.faults('SELECT qehs.record_create(''orders'', ''{"no":"A2","price":2,"count":3,"total":7}'')');
-- who may not read a computed field is told nothing about it
SELECT qehs.user_create('sam', 'Sam') IS NOT NULL;
SELECT qehs.use_tenant('sentback', 'sam') IS NOT NULL;
SELECT pg_temp.sent_back(:'id', '{"price":6}');
SELECT pg_temp.sent_back(:'id', '{"price":7,"hidden":6}');
