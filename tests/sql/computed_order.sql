-- Computed fields follow from each other in whatever order the definition names them, and never from what a client sent in their place.
\set tenant computed_order
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('computed_order', 'A tenant');
SELECT qehs.use_tenant('computed_order');
\o
\set ECHO all
\set VERBOSITY default
SELECT qehs.module_publish('sums', '{"key":"sums","name":"Sums","displayCode":{"prefix":"SUM"},
 "fields":[{"key":"d","type":"computed","computed":"$.c + 1"},{"key":"a","type":"number"},{"key":"c","type":"computed","computed":"$.b * 10"},
  {"key":"count","type":"computed","computed":"$.keyvalue().key ? (@ starts with \"c\")"},{"key":"b","type":"computed","computed":"$.a + 1"},
  {"key":"who","type":"computed","computed":"$roles[0]"},{"key":"on","type":"computed","computed":"$now starts with $today"},
  {"key":"in","type":"computed","computed":"$state"},{"key":"user","type":"computed","computed":"$user"},
  {"key":"rows","type":"table","fields":[{"key":"y","type":"computed","computed":"$.x * 2"},{"key":"x","type":"computed","computed":"$.w + 1"},
   {"key":"w","type":"number","default":1}]},
  {"key":"all","type":"computed","computed":"$.rows[*].y ? (@ > 4)"}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('sums', '{"a":1,"rows":[{},{"w":2}]}')::jsonb AS made \gset
SELECT :'made'::jsonb -> 'payload' AS payload;
-- a sent value is compared, and read by no other
SELECT qehs.record_create('sums', '{"a":1,"c":99}');
SELECT qehs.record_create('sums', '{"a":1,"b":2,"c":20,"d":21,"rows":[{"x":2,"y":4}]}')::jsonb -> 'payload' -> 'd' AS d;
SELECT qehs.record_update(:'made'::jsonb ->> 'id', '{"a":2}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_update(:'made'::jsonb ->> 'id', '{"a":null}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_transition(:'made'::jsonb ->> 'id', 'finish', '{"a":0}')::jsonb -> 'payload' AS payload;
-- what follows from the state does so without a payload too
SELECT qehs.module_publish('acts', '{"key":"acts","name":"Acts","displayCode":{"prefix":"ACT"},
 "fields":[{"key":"open","type":"computed","computed":"$state == \"open\""},{"key":"why","type":"text","requiredWhen":"$state == \"done\""}],
 "workflow":{"states":["open","held","done"],"initial":"open","transitions":{"hold":{"from":"open","to":"held"},"finish":{"from":"*","to":"done"}}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('acts', '{}')::jsonb AS act \gset
SELECT :'act'::jsonb -> 'payload' AS payload;
SELECT qehs.record_transition(:'act'::jsonb ->> 'id', 'hold')::jsonb -> 'payload' AS payload;
SELECT qehs.record_transition(:'act'::jsonb ->> 'id', 'finish');
SELECT qehs.record_transition(:'act'::jsonb ->> 'id', 'finish', '{"why":"so"}')::jsonb -> 'payload' AS payload;
-- circles, variables that there are not, and texts that are no expression have their place
SELECT qehs.module_publish('bad', jsonb_set('{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"computed","computed":"$.b"},{"key":"b","type":"computed","computed":"$.c"},{"key":"c","type":"computed","computed":"$.a + $.n"},
  {"key":"n","type":"number","visibleWhen":"$tenant == 1 && $now == $now"},{"key":"o","type":"text","requiredWhen":"$.n =="},{"key":"p","type":"text","requiredWhen":1},
  {"key":"rows","type":"table","fields":[{"key":"n","type":"number"},{"key":"self","type":"computed","computed":"$.self + 1"}]},
  {"key":"q","type":"computed"},{"key":"long","type":"computed","computed":"x"}],
 "workflow":{"states":["open"],"initial":"open","transitions":{"go":{"from":"open","to":"open","when":"$.n > $limit"}}}}', '{fields,8,computed}',
	to_jsonb('$.n' || repeat(' + 1', 2500))));
