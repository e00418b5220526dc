-- A default is held against its field when the definition is published, at every depth and in the rules of migration.
\set tenant default_values
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('default_values', 'A tenant');
SELECT qehs.use_tenant('default_values');
INSERT INTO qehs.user_account (tenant_id, id, user_name, display_name, active)
SELECT id, '01900000-0000-7000-8000-000000000001'::uuid, 'ann', 'Ann', true FROM qehs.tenant WHERE slug = 'default_values'
UNION ALL SELECT id, '01900000-0000-7000-8000-000000000002', 'bob', 'Bob', false FROM qehs.tenant WHERE slug = 'default_values';
\o
\set ECHO all
\set VERBOSITY default
SELECT qehs.module_publish('good', '{"key":"good","name":"Good","displayCode":{"prefix":"GOD"},
 "fields":[{"key":"text","type":"text","default":"x","maxLength":1,"pattern":"^x$","schema":{"const":"x"}},{"key":"rich","type":"rich-text","default":"<b>x</b>"},
  {"key":"kind","type":"select","options":["a",{"value":"b"}],"default":"b"},{"key":"kinds","type":"multi-select","options":["a","b"],"default":["a"]},
  {"key":"n","type":"number","min":1,"max":1,"default":1},{"key":"money","type":"currency","default":{"amount":"1.50","currency":"EUR"}},
  {"key":"range","type":"date-range","default":{"from":"2026-01-01","to":"2026-01-01"}},{"key":"who","type":"user","default":"01900000-0000-7000-8000-000000000001"},
  {"key":"risk","type":"matrix-score","default":{"likelihood":3,"severity":5}},{"key":"yes","type":"boolean","default":false},
  {"key":"box","type":"object","default":{"w":2},"fields":[{"key":"w","type":"number"},{"key":"twice","type":"computed","computed":"$.w * 2"}]},
  {"key":"rows","type":"table","default":[{}],"fields":[{"key":"level","type":"select","options":["low"],"default":"low","required":true},
    {"key":"risk","type":"matrix-score","default":{"likelihood":1,"severity":1}}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
-- they are filled as values from a client are: scores, computed values, defaults inside
SELECT jsonb_pretty(qehs.record_create('good', '{}')::jsonb -> 'payload') AS payload;
-- what does not hold is refused with its place
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"text","default":5},{"key":"b","type":"text","maxLength":3,"pattern":"^x","default":"yyyy"},{"key":"c","type":"select","options":["a"],"default":"z"},
  {"key":"d","type":"number","min":1,"step":2,"default":0.5},{"key":"e","type":"currency","default":{"amount":"x","currency":"EUX"}},
  {"key":"f","type":"date-range","default":{"from":"2026-02-01","to":"2026-01-01"}},{"key":"g","type":"user","default":"01900000-0000-7000-8000-000000000002"},
  {"key":"h","type":"record-reference","default":"01900000-0000-7000-8000-000000000009"},{"key":"i","type":"matrix-score","size":3,"bands":[{"name":"x","max":9}],"default":{"likelihood":4,"severity":1}},
  {"key":"j","type":"rich-text","default":"<script>"},{"key":"k","type":"text","schema":{"minLength":3},"default":"xx"},{"key":"l","type":"boolean","default":null},
  {"key":"m","type":"date","default":"2026-02-30"},{"key":"n","type":"quantity","units":["kg"],"default":{"value":1,"unit":"g"}},
  {"key":"o","type":"object","fields":[{"key":"p","type":"object","fields":[{"key":"q","type":"email","default":"nobody"}]}]},
  {"key":"rows","type":"table","default":[{"x":1},{"x":2,"y":"n"}],"fields":[{"key":"x","type":"number","max":1},{"key":"y","type":"text","visibleWhen":"$.x == 1"},
    {"key":"z","type":"text","requiredWhen":"$.x == 2"}]},
  {"key":"r","type":"currency","min":2,"default":{"amount":"1","currency":"ABC"}}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"identifier","default":"x"},{"key":"b","type":"text","unique":true,"default":"x"},{"key":"c","type":"computed","computed":"1","default":1}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
-- of the rules of migration too
SELECT qehs.module_publish('good', jsonb_set(jsonb_set(qehs.module_get('good')::jsonb - 'definitionVersion' - 'createdAt' - 'jsonSchema', '{migrate}',
	'{"default":{"n":2,"money":{"amount":1,"currency":"XYZ"},"range":{"from":"2026-01-02","to":"2026-01-01"},"risk":{"likelihood":9,"severity":1},"text":"y"}}'), '{name}', '"Better"'));
