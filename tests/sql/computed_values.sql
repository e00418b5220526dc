-- Computed values and matrix scores are the server's: a client sends the same or nothing.
\set tenant computed_values
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create(:'tenant', 'A tenant');
SELECT qehs.use_tenant(:'tenant');
\o
\set ECHO all
\set VERBOSITY default
SELECT qehs.module_publish('costs', '{"key":"costs","name":"Costs","displayCode":{"prefix":"CST"},
 "fields":[{"key":"price","type":"number","required":true},
  {"key":"count","type":"integer","default":2},
  {"key":"total","type":"computed","computed":"$.price * $.count"},
  {"key":"big","type":"computed","computed":"$.total > 100"},
  {"key":"code","type":"computed","expression":"$.nothing"},
  {"key":"risk","type":"matrix-score","size":3,"bands":[{"name":"fine","max":2},{"name":"bad","max":9}]},
  {"key":"plain","type":"matrix-score"},
  {"key":"items","type":"table","fields":[{"key":"a","type":"number"},{"key":"b","type":"number","default":1},
   {"key":"sum","type":"computed","computed":"$.a + $.b"},{"key":"risk","type":"matrix-score"}]},
  {"key":"box","type":"object","fields":[{"key":"w","type":"number"},{"key":"twice","type":"computed","computed":"$.w * 2"}]}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}}')::jsonb
 -> 'jsonSchema' -> 'properties' -> 'risk' AS risk;
-- written by the server, in rows and objects too; a computed value may read one before it
SELECT qehs.record_create('costs', '{"price":60,"risk":{"likelihood":1,"severity":3},"plain":{"likelihood":4,"severity":4},
	"items":[{"a":1},{"a":2,"b":3,"risk":{"likelihood":2,"severity":2}}],"box":{"w":4}}')::jsonb AS created \gset
SELECT jsonb_pretty(:'created'::jsonb -> 'payload') AS payload;
SELECT :'created'::jsonb ->> 'id' AS id \gset
-- the same values are taken, whatever the digits
SELECT qehs.record_create('costs', '{"price":60,"total":120.00,"big":true,"risk":{"likelihood":1,"severity":3,"score":3.0,"band":"bad"},
	"items":[{"a":1,"sum":2.0}],"box":{"w":4,"twice":8}}')::jsonb -> 'payload' -> 'total' AS total;
-- others are refused
SELECT qehs.record_create('costs', '{"price":60,"total":121,"big":null,"code":1,"risk":{"likelihood":1,"severity":3,"score":9,"band":"fine"},
	"items":[{"a":1,"sum":2},{"a":1,"sum":3,"risk":{"likelihood":1,"severity":1,"band":"high"}}],"box":{"w":4,"twice":"8"}}');
-- a patch makes them anew; what it does not name is not compared
SELECT qehs.record_update(:'id', '{"price":1,"box":{"w":5}}')::jsonb -> 'payload' -> 'total' AS total;
SELECT qehs.record_update(:'id', '{"price":3,"total":5}');
SELECT qehs.record_update(:'id', '{"price":3,"total":6,"box":{"twice":10}}')::jsonb -> 'payload' -> 'box' AS box;
SELECT qehs.record_update(:'id', '{"total":null}');
SELECT qehs.record_transition(:'id', 'finish', '{"total":7}');
SELECT qehs.record_transition(:'id', 'finish', '{"price":4,"total":8}')::jsonb -> 'payload' -> 'big' AS big;
-- a value that no longer computes goes away
SELECT qehs.record_update(:'id', '{"box":{"w":null}}')::jsonb -> 'payload' -> 'box' AS box;
-- bands must rise and end with the greatest score
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"matrix-score","size":11},{"key":"b","type":"matrix-score","size":4},
  {"key":"c","type":"matrix-score","bands":[{"name":"low","max":4},{"name":"","max":4}]},
  {"key":"d","type":"matrix-score","bands":[{"name":"low","max":4}]},{"key":"e","type":"matrix-score","bands":{}}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
