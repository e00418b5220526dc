-- Who may say in which state a loaded record is and when it was created (bulk.state), and which fields it has.
\set VERBOSITY terse
\set tenant bulkstate
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-11-20T08:30:00Z';
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT qehs.module_publish('moves', '{"key":"moves","name":"Moves","displayCode":{"prefix":"MOV"},"fields":[{"key":"title","type":"text","required":true},
	{"key":"ref","type":"identifier"},{"key":"secret","type":"text"}],"workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}},
	"permissions":{"roles":{"migrator":["read","create","update","bulk.state"],"tenant-user":["read","create","update"]},
	"fields":{"secret":{"read":["migrator"],"write":["migrator"]}}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.module_publish('wrong', '{"key":"wrong","name":"Wrong","displayCode":{"prefix":"WRO"},"fields":[{"key":"title","type":"text"}],
	"workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{"migrator":["bulk"]}}}');
SELECT qehs.user_create('mover', 'A mover', roles => ARRAY['migrator'])::jsonb ->> 'userName' AS name;
SELECT qehs.user_create('worker', 'A worker', roles => ARRAY['tenant-user'])::jsonb ->> 'userName' AS name;
\set lines '''{"payload":{"title":"a","ref":"1"},"workflowState":"done","createdAt":"2019-05-06T07:08:09Z"}\n{"payload":{"title":"b","ref":"2","secret":"s"}}\n{"payload":{"title":"c","ref":"3"},"workflowState":"open"}\n{"payload":{"title":"d","ref":"4"},"createdAt":"2999-01-01T00:00:00Z"}\n{"payload":{"title":"e","ref":"5"},"createdAt":"2019-05-06T07:08:09"}'''
SELECT qehs.use_tenant('bulkstate', 'worker');
SELECT line::jsonb - 'id' AS line FROM string_to_table(qehs.bulk_load('moves', convert_to(E:lines, 'UTF8')), E'\n') AS line WHERE line <> '';
SELECT qehs.use_tenant('bulkstate', 'mover');
SELECT line::jsonb - 'id' AS line FROM string_to_table(qehs.bulk_load('moves', convert_to(E:lines, 'UTF8')), E'\n') AS line WHERE line <> '';
SELECT payload, workflow_state, created_at < '2020-01-01' AS old, display_no / 1000000000 = 2019 AS of_2019 FROM qehs.record AS r WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulkstate') ORDER BY payload ->> 'title';
-- an upsert: a state without a transition needs it, too
\set lines '''{"payload":{"ref":"3"},"workflowState":"done"}\n{"payload":{"ref":"3","secret":"t"}}'''
SELECT qehs.use_tenant('bulkstate', 'worker');
SELECT line::jsonb - 'id' AS line FROM string_to_table(qehs.bulk_load('moves', convert_to(E:lines, 'UTF8'), on_conflict => 'update', external_id => 'ref'), E'\n') AS line WHERE line <> '';
SELECT qehs.use_tenant('bulkstate', 'mover');
SELECT line::jsonb - 'id' AS line FROM string_to_table(qehs.bulk_load('moves', convert_to(E:lines, 'UTF8'), on_conflict => 'update', external_id => 'ref'), E'\n') AS line WHERE line <> '';
