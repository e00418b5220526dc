-- A field's own schema holds too; its references start at its own root, wherever it stands.
\set tenant definition_fragments
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_fragments', 'A tenant');
SELECT qehs.use_tenant('definition_fragments');
\o
\set ECHO all
\set VERBOSITY default
SELECT qehs.module_publish('shapes', '{"key":"shapes","name":"Shapes","displayCode":{"prefix":"SHP"},
 "fields":[{"key":"a","type":"object","schema":{"$defs":{"p":{"type":"number"}},"properties":{"x":{"$ref":"#/$defs/p"}}}},
  {"key":"tree","type":"object","schema":{"properties":{"child":{"$ref":"#"},"n":{"type":"integer"}},"additionalProperties":false}},
  {"key":"own","type":"text","schema":{"$id":"https://shapes.example/own","$anchor":"top","anyOf":[{"maxLength":2},{"$ref":"#long"}],"$defs":{"long":{"$anchor":"long","minLength":5}}}},
  {"key":"rows","type":"table","fields":[{"key":"b","type":"text","schema":{"$defs":{"p":{"pattern":"^b"}},"$ref":"#/$defs/p"}}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('shapes', '{"a":{"x":1},"tree":{"child":{"child":{"n":1}}},"own":"xx","rows":[{"b":"bb"}]}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_create('shapes', '{"a":{"x":"1"},"tree":{"child":{"child":{"n":"1","m":1}}},"own":"xxx","rows":[{"b":"ab"}]}');
-- registered schemas are put into the published one, with those that they refer to
SELECT qehs.jsonschema_register('https://registered.example/parts/code', '{"$defs":{"letter":{"$anchor":"letter","pattern":"^[A-Z]"}},"allOf":[{"$ref":"#letter"},{"$ref":"length"}]}');
SELECT qehs.jsonschema_register('https://registered.example/parts/length', '{"$id":"https://registered.example/parts/length","maxLength":4}');
SELECT qehs.jsonschema_register('https://registered.example/never', 'false');
SELECT jsonb_pretty(qehs.module_publish('coded', '{"key":"coded","name":"Coded","displayCode":{"prefix":"COD"},
 "fields":[{"key":"code","type":"text","default":"A1","schema":{"$ref":"https://registered.example/parts/code"}},
  {"key":"rows","type":"table","fields":[{"key":"none","type":"text","schema":{"$ref":"https://registered.example/never"}}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb #> '{jsonSchema,$defs}') AS registered;
SELECT qehs.record_create('coded', '{"code":"B12"}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_create('coded', '{"code":"b1234","rows":[{"none":"x"}]}');
SELECT qehs.module_publish('coded2', '{"key":"coded2","name":"Coded","displayCode":{"prefix":"COD"},
 "fields":[{"key":"code","type":"text","default":"AAAAA","schema":{"$ref":"https://registered.example/parts/code"}},
  {"key":"other","type":"text","schema":{"$ref":"https://registered.example/parts/code#nothing"}}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"object","schema":{"properties":{"x":{"$ref":"#/$defs/none"}}}},{"key":"b","type":"text","schema":{"$ref":"https://nowhere.example/x"}},
  {"key":"c","type":"text","minLength":10001},{"key":"d","type":"text","minLength":3,"maxLength":2},{"key":"e","type":"text","minLength":10001,"maxLength":20000}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
