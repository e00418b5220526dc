-- Publishing reports every fault of a definition with its pointer.
\set tenant module_faults
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT qehs.module_publish('bad', '{"key":"bad","name":"","bogus":1,"displayCode":{"prefix":"inc"},
 "fields":[{"key":"A","type":"text"},{"key":"b","type":"txt"},{"key":"c","type":"select"},{"key":"c","type":"number","min":2,"max":1},
  {"key":"d","type":"text","requiredWhen":"$.x ==="},{"key":"e","type":"table"},{"key":"f","type":"object","indexed":true}],
 "workflow":{"states":["open","Closed","open"],"initial":"none","transitions":{"go":{"from":"open","to":"moon","requires":["zzz"]}}},
 "permissions":{"roles":{"viewer":["look"]}}}');
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"text","pattern":"("}],
 "workflow":{"states":["open","lost"],"initial":"open","transitions":{}}}');
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"text","pattern":"("}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
-- those of a workflow: who may fire, from where, to where
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","description":5,"standards":[],"displayCode":{"prefix":"BAD","digits":4},
 "fields":[{"key":"a","type":"text"}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"one":{"from":"open","to":"*","roles":[5,"@nobody","@a","@createdBy",""],"requires":"*"},
  "two":{"from":[],"to":"done","roles":{"x":1},"commentRequired":"yes","description":5,"approvers":5,"effects":5},"three":{"from":["open","*"],"to":"done","roles":"@b"}}}}');
