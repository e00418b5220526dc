-- A checklist is a table that a default fills, with a guard that wants every point done; each point that is ticked is told by an event.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('checklists', 'Checklists');
SELECT qehs.use_tenant('checklists');
SELECT qehs.module_publish('permits', '{"key":"permits","name":"Permits","displayCode":{"prefix":"PRM"},"fields":[{"key":"title","type":"text"},
 {"key":"checklist","type":"table","default":[{"point":"Isolated"},{"point":"Gas tested","needs_note":true}],"fields":[{"key":"point","type":"text","required":true},{"key":"done","type":"boolean","default":false},
  {"key":"needs_note","type":"boolean"},{"key":"note","type":"text"}]}],
 "workflow":{"states":["draft","issued"],"initial":"draft","transitions":{"issue":{"from":"draft","to":"issued","requires":["checklist"],
  "when":"!exists($.checklist[*] ? (@.done != true || (@.needs_note == true && !exists(@.note))))"}}},"permissions":{"states":{"issued":{"edit":[]}}}}');
SELECT qehs.module_publish('jobs', '{"key":"jobs","name":"Jobs","displayCode":{"prefix":"JOB"},"fields":[{"key":"title","type":"text"}],
 "workflow":{"states":["planned","started"],"initial":"planned","transitions":{"start":{"from":"planned","to":"started",
  "effects":[{"createRecord":{"moduleKey":"permits","payload":{"title":"$.title","checklist":[{"point":"Fire watch named"}]}}}]}}}}');
\o
\set ECHO all
SELECT qehs.record_create('permits', '{"title":"Hot work"}') ->> 'id' AS id \gset
SELECT qehs.record_get(:'id') -> 'payload' -> 'checklist' AS checklist;
SELECT qehs.record_transition(:'id', 'issue');
SELECT qehs.record_update(:'id', '{"checklist":[{"point":"Isolated","done":true},{"point":"Gas tested","done":true,"needs_note":true}]}') ->> 'version' AS version;
SELECT qehs.record_transition(:'id', 'issue');
SELECT qehs.record_transition(:'id', 'issue', '{"checklist":[{"point":"Isolated","done":true},{"point":"Gas tested","done":true,"needs_note":true,"note":"0 % LEL"}]}') ->> 'workflowState' AS state;
SELECT qehs.record_update(:'id', '{"checklist":[]}');
SELECT a ->> 'type' AS type, a -> 'changes' -> 0 ->> 'path' AS path, jsonb_path_query_array(a, '$.changes[0].from[*].done') AS was, jsonb_path_query_array(a, '$.changes[0].to[*].done') AS "is"
FROM jsonb_array_elements(qehs.record_get(:'id')::jsonb -> 'activity') AS a;
-- one that the transition of another record brings with it
SELECT qehs.record_transition(qehs.record_create('jobs', '{"title":"Weld a rail"}') ->> 'id', 'start') ->> 'workflowState' AS state;
SELECT i -> 'payload' AS payload FROM json_array_elements(qehs.record_list('permits', page_size => 1) -> 'items') AS i;
