-- A quantity is a value with its unit, compared, filtered and indexed by value; a number with "unit" stays a number.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set tenant quantity
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('quantity', 'A tenant');
SELECT qehs.use_tenant('quantity');
\o
\set ECHO all
\set VERBOSITY default
SELECT jsonb_pretty(qehs.module_publish('samples', '{"key":"samples","name":"Samples","displayCode":{"prefix":"SMP"},
 "fields":[{"key":"dust","type":"quantity","units":["mg/m3",{"value":"ug/m3","label":{"en":"µg/m³"}}],"min":0,"max":1000,"step":0.5,"required":true,"indexed":true},
  {"key":"noise","type":"quantity","unit":"dB[SPL]"},{"key":"free","type":"quantity","default":{"value":1,"unit":"kg"}},
  {"key":"dose","type":"number","unit":"milli Sv"},{"key":"cost","type":"currency","min":0,"max":100,"step":0.05},
  {"key":"rows","type":"table","fields":[{"key":"amount","type":"quantity","units":["L"],"required":true}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb #> '{jsonSchema,properties}' #- '{rows}' #- '{cost}') AS properties;
SELECT qehs.module_get('samples', accept_language => 'en')::jsonb #>> '{fields,0,units,1,label}' AS label;
SELECT qehs.record_create('samples', payload)::jsonb -> 'payload' AS payload FROM (VALUES
	('{"dust":{"value":1,"unit":"mg/m3"},"noise":{"value":85.5,"unit":"dB[SPL]"},"dose":2,"cost":{"amount":"12.5","currency":"EUR"}}'::jsonb),
	('{"dust":{"value":0,"unit":"ug/m3"},"free":{"value":-0.5,"unit":"µg/m³"},"rows":[{"amount":{"value":3,"unit":"L"}}]}'),
	('{"dust":{"value":20,"unit":"mg/m3"},"noise":{"value":7,"unit":"dB[SPL]"},"cost":{"amount":100,"currency":"EUR"}}')) AS v (payload);
-- what does not hold, with its place
SELECT qehs.record_create('samples', '{"dust":{"value":-0.2,"unit":"mg"},"noise":{"value":"85","unit":"dB"},"free":{"value":1,"unit":"short ton"},
	"dose":{"value":1,"unit":"Sv"},"cost":{"amount":"-0.01","currency":"EUR"},"rows":[{"amount":{"value":3}}]}');
SELECT qehs.record_create('samples', '{"dust":5,"noise":{"value":1,"unit":"dB[SPL]","note":"x"},"free":{"value":1,"unit":""},"cost":{"amount":"100.01","currency":"EUR"},
	"rows":[{"amount":{"value":3,"unit":"l"}}]}');
SELECT qehs.record_create('samples', '{"dust":{"value":1000.5,"unit":"mg/m3"},"cost":{"amount":"1.2.3","currency":"EUR"}}');
-- by value: filters and sorts, with an index and without
SELECT f.filter, jsonb_path_query_array(qehs.record_list('samples', f.filter, sort => f.sort)::jsonb, '$.items[*].displayCode') AS found FROM (VALUES
	('{"dust":{"gte":1}}'::jsonb, 'dust'), ('{"dust":{"in":[0,20]}}', '-dust'), ('{"noise":{"lt":10}}', 'noise'), ('{"noise":{"exists":false}}', 'noise'),
	('{"cost":{"gt":12}}', 'cost'), ('{"cost":12.5}', '-cost'), ('{"free":-0.5}', 'free')) AS f (filter, sort);
SELECT qehs.record_list('samples', '{"dust":"much"}');
-- an example that holds, and a bulk load
SELECT payload -> 'dust' AS dust, payload -> 'noise' AS noise FROM jsonb_path_query_first(qehs.openapi()::jsonb, '$.**.payload ? (exists(@.dust.unit ? (@ starts with "mg")))') AS payload;
CREATE TEMP TABLE lines (document jsonb);
INSERT INTO lines VALUES ('{"dust":{"value":2,"unit":"mg/m3"}}'), ('{"dust":{"value":2,"unit":"kg"}}'), ('{"dust":{"value":2,"unit":"mg/m3"},"cost":{"amount":"101","currency":"EUR"}}');
SELECT line::jsonb -> 'line' AS line, line::jsonb -> 'errors' AS errors FROM qehs.bulk_load_table('samples', 'lines', 'document') AS line WHERE line::jsonb ->> 'status' = 'failed';
-- units that go are a narrowing, units that come are none
SELECT qehs.module_publish('samples', (qehs.module_get('samples')::jsonb - 'definitionVersion' - 'createdAt' - 'jsonSchema') #- '{fields,0,units,1}' #- '{fields,0,label}'
	|| '{"description":"x"}');
SELECT qehs.module_publish('samples', jsonb_set(qehs.module_get('samples')::jsonb - 'definitionVersion' - 'createdAt' - 'jsonSchema', '{fields}',
	'[{"key":"dust","type":"quantity","units":["ug/m3","mg/m3","g/m3"],"min":-1,"max":1000,"step":0.5,"required":true,"indexed":true},
	{"key":"noise","type":"quantity","units":["dB","dB[SPL]"]},{"key":"free","type":"quantity","max":5},{"key":"dose","type":"number","unit":"mSv"},
	{"key":"cost","type":"currency","min":0,"max":100,"step":0.05},{"key":"rows","type":"table","fields":[{"key":"amount","type":"quantity","required":true}]}]')
	|| '{"migrate":{"rename":{"free":"free","dose":"dose"}}}')::jsonb -> 'definitionVersion' AS version;
SELECT change ->> 'path' AS path, change ->> 'kind' AS kind, change -> 'compatible' AS compatible, change ->> 'message' AS message
FROM jsonb_array_elements(qehs.module_diff('samples', 1)::jsonb -> 'changes') AS change;
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"quantity","units":[]},{"key":"b","type":"quantity","units":["kg","short ton",1,{"value":""},{"value":"g","label":5}]},
  {"key":"c","type":"quantity","unit":"kg","units":["kg"]},{"key":"d","type":"number","units":["kg"]},{"key":"e","type":"quantity","unit":"short ton","step":0},
  {"key":"f","type":"quantity","min":2,"max":1,"units":"kg"}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
