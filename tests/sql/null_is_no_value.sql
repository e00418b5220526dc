-- null is no value, at every depth of objects and in the rows of tables, in creates, loads and patches; what must be there is required.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('nulls', 'A tenant');
SELECT qehs.use_tenant('nulls');
SELECT qehs.module_publish('visits', '{"key":"visits","name":"Visits","displayCode":{"prefix":"V"},
 "fields":[{"key":"title","type":"text","required":true},{"key":"kind","type":"select","options":["a","b"],"default":"a","required":true},
  {"key":"seen","type":"date"},{"key":"count","type":"integer"},{"key":"done","type":"boolean"},{"key":"code","type":"identifier"},
  {"key":"mail","type":"email"},{"key":"who","type":"user"},{"key":"about","type":"record-reference","references":"visits"},
  {"key":"weight","type":"quantity"},{"key":"price","type":"currency"},{"key":"span","type":"date-range"},{"key":"spot","type":"geolocation"},
  {"key":"tags","type":"multi-select","options":["x","y"]},{"key":"risk","type":"matrix-score"},{"key":"photo","type":"image"},{"key":"free","type":"object"},
  {"key":"place","type":"object","fields":[{"key":"city","type":"text","required":true},{"key":"zip","type":"text"},{"key":"inner","type":"object","fields":[{"key":"deep","type":"number"}]}]},
  {"key":"rows","type":"table","fields":[{"key":"name","type":"text","required":true},{"key":"size","type":"number","default":3},
   {"key":"parts","type":"table","fields":[{"key":"no","type":"integer"}]}]},
  {"key":"sum","type":"computed","expression":"$.count + 1"}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","requires":["seen"]}}},
 "permissions":{"roles":{"tenant-user":["read","create","update","transition"]},"fields":{"mail":{"read":["tenant-owner"],"write":["tenant-owner"]}}}}');
\i sql/include/faults.psql
CREATE FUNCTION pg_temp.created(payload jsonb) RETURNS text LANGUAGE sql RETURN pg_temp.faults(format('SELECT qehs.record_create(''visits'', %L)', payload));
\o
\set ECHO all
\pset format unaligned
\pset tuples_only on
-- as people's files have it: every member there, most without a value
SELECT pg_temp.created('{"title":"one","kind":null,"seen":null,"count":null,"done":null,"code":null,"mail":null,"who":null,"about":null,"weight":null,"price":null,"span":null,
 "spot":null,"tags":null,"risk":null,"photo":null,"free":null,"place":null,"rows":null,"sum":null}');
-- below objects and in rows, where a default and a required field count as for what is not there
SELECT pg_temp.created('{"title":"two","place":{"city":"Ulm","zip":null,"inner":{"deep":null}},"free":{"a":null,"b":{"c":null,"d":[null,{"e":null}]}},
 "rows":[{"name":"r","size":null,"parts":[{"no":null},{"no":2}]},{"name":"s","parts":null}],"weight":{"value":2,"unit":null}}');
SELECT pg_temp.created('{"title":null,"place":{"city":null},"rows":[{"name":null}],"price":{"amount":1,"currency":null}}');
-- what no field is called is told, null or not, and so is null where it is an item
SELECT pg_temp.created('{"title":"three","nope":null,"place":{"city":"a","nope":null},"rows":[{"name":"a","nope":null,"parts":[{"nope":null}]},null],"tags":["x",null]}');
-- an envelope's members too
SELECT a::json ->> 'status', a::json -> 'errors' FROM string_to_table(qehs.bulk_load('visits', convert_to(
 E'{"title":"four","count":null,"rows":[{"name":"a","size":null}]}\n{"payload":{"title":"five","place":{"city":null}},"workflowState":null,"createdAt":null,"idempotencyKey":null}\n{"title":null}', 'UTF8')), E'\n') AS a WHERE a <> '' AND a NOT LIKE '%summary%';
-- a patch removes, and the rows that it brings have no null
SELECT qehs.record_create('visits', '{"title":"six","count":1,"place":{"city":"Ulm","zip":"1"},"rows":[{"name":"a"}]}')::json ->> 'id' AS id \gset
SELECT pg_temp.faults(format('SELECT qehs.record_update(%L, %L)', :'id', '{"count":null,"place":{"zip":null},"rows":[{"name":"b","size":null,"parts":[{"no":null}]}]}'));
SELECT pg_temp.faults(format('SELECT qehs.record_update(%L, %L)', :'id', '{"title":null,"kind":null,"rows":[{"name":null,"nope":null}],"place":{"city":null}}'));
SELECT pg_temp.faults(format('SELECT qehs.record_transition(%L, ''finish'', %L)', :'id', '{"seen":null}'));
-- who may not write a field may leave it without a value
SELECT qehs.user_create('nora', 'Nora') IS NOT NULL;
SELECT qehs.use_tenant('nulls', 'nora') IS NOT NULL;
SELECT pg_temp.created('{"title":"seven","mail":null}');
SELECT pg_temp.created('{"title":"eight","mail":"a@example.com"}');
