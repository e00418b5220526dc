-- What follows from a transition happens in its transaction: records made and changed, fields set, people assigned, events for others.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('effects', 'Effects');
SELECT qehs.use_tenant('effects');
SELECT qehs.user_create('ann', 'Ann', roles => '{tenant-user}'), qehs.user_create('bob', 'Bob', roles => '{viewer}');
SELECT qehs.module_publish('plans', '{"key":"plans","name":"Plans","displayCode":{"prefix":"PLN"},
 "fields":[{"key":"title","type":"text","required":true,"maxLength":12},{"key":"source","type":"record-reference"},{"key":"code","type":"identifier"},{"key":"owner","type":"user"},
  {"key":"tags","type":"multi-select","options":["a","b"]},{"key":"done","type":"integer"},{"key":"note","type":"text"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed"}}},
 "permissions":{"roles":{"tenant-user":["read"]},"states":{"closed":{"edit":[]}}}}');
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},
 "fields":[{"key":"title","type":"text"},{"key":"code","type":"text"},{"key":"plan","type":"record-reference"},{"key":"owner","type":"user"},{"key":"verifier","type":"user"},
  {"key":"closed_at","type":"datetime"},{"key":"closed_by","type":"user"},{"key":"price","type":"text"},{"key":"draft","type":"text"},{"key":"tags","type":"multi-select","options":["a","b"]}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{
  "close":{"from":"open","to":"closed","effects":[{"setField":{"closed_at":"$now","closed_by":"$user","price":"$$5","draft":null}},{"assign":{"field":"verifier","to":"@owner"}},
    {"createRecord":{"moduleKey":"plans","payload":{"title":"$.title","source":"$id","code":"$.code","owner":"$.verifier","tags":"$.tags","note":"$.nothing"}}},
    {"event":{"name":"case.closed","payload":{"what":"$.title","deep":[{"by":"$user"},"$.nothing","plain"]}}},{"event":"case.seen"}]},
  "report":{"from":"*","to":"open","effects":[{"updateParent":{"via":"plan","payload":{"note":"$comment","done":1}}}]},
  "give":{"from":"open","to":"open","effects":[{"assign":{"field":"owner","to":"$.nobody"}}]}}},
 "permissions":{"roles":{"tenant-user":["read","create","update","transition"]}}}');
SELECT qehs.use_tenant('effects', 'ann');
SELECT qehs.record_create('cases', '{}')::jsonb -> 'createdBy' ->> 'id' AS ann \gset
SELECT qehs.record_create('cases', jsonb_build_object('title', 'a case', 'code', 'C1', 'owner', :'ann', 'draft', 'x', 'tags', '["a"]'::jsonb))::jsonb ->> 'id' AS id \gset
CREATE FUNCTION pg_temp.detail(call text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	told text;
	code text;
BEGIN
	EXECUTE call;
	RETURN '"done"';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL, code = CONSTRAINT_NAME;
	RETURN jsonb_build_object('code', code, 'message', SQLERRM, 'errors', told::jsonb -> 'errors');
END
$$;
-- without what differs from run to run
CREATE FUNCTION pg_temp.shown(value jsonb) RETURNS text LANGUAGE sql AS $$
SELECT regexp_replace(regexp_replace(value::text, '(rec|usr)_[0-9A-Z]{26}', '\1_…', 'g'), '20\d\d-[^"]*Z', '…', 'g')
$$;
\o
\set ECHO all
-- one version and one event has the new state and what is set
SELECT pg_temp.shown(r -> 'payload') AS payload, r -> 'version' AS version, r -> 'payload' ->> 'closed_by' = :'ann' AS by_ann, r -> 'payload' ->> 'verifier' = :'ann' AS assigned
FROM (SELECT qehs.record_transition(:'id', 'close')::jsonb AS r) AS a;
-- the plan is made by ann, who may not make plans
SELECT pg_temp.shown(i -> 'payload') AS payload, i -> 'createdBy' ->> 'displayName' AS by, i -> 'payload' ->> 'source' = :'id' AS of_the_case, i ->> 'id' AS plan
FROM jsonb_array_elements(qehs.record_list('plans')::jsonb -> 'items') AS i \gset
SELECT :'payload' AS payload, :'by' AS by, :'of_the_case' AS of_the_case;
SELECT reason FROM qehs.audit_event AS e WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'effects') AND module_id <> 0 AND reason IS NOT NULL;
SELECT topic, record_version, pg_temp.shown(body - 'displayCode') AS body FROM qehs.outbox WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'effects') ORDER BY id;
-- the parent
SELECT qehs.record_update(:'id', jsonb_build_object('plan', :'plan')) IS NOT NULL AS changed;
SELECT qehs.record_transition(:'id', 'report', comment => 'all is done')::jsonb ->> 'workflowState' AS state;
SELECT r -> 'payload' ->> 'note' AS note, r -> 'payload' -> 'done' AS done, r -> 'version' AS version FROM (SELECT qehs.record_get(:'plan')::jsonb AS r) AS a;
-- one that fails fails the transition, and nothing stays: the code is taken
SELECT pg_temp.detail(format('SELECT qehs.record_transition(%L, ''close'')', :'id'));
SELECT qehs.record_update(:'id', '{"title":"a case with a title too long","code":"C2"}') IS NOT NULL AS changed;
SELECT pg_temp.detail(format('SELECT qehs.record_transition(%L, ''close'')', :'id'));
SELECT pg_temp.detail(format('SELECT qehs.record_transition(%L, ''give'')', :'id'));
SELECT r ->> 'workflowState' AS state, r -> 'version' AS version FROM (SELECT qehs.record_get(:'id')::jsonb AS r) AS a;
SELECT count(*) FROM qehs.outbox WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'effects');
-- a parent in a state that locks, and none
SELECT qehs.use_tenant('effects') \g /dev/null
SELECT qehs.record_transition(:'plan', 'close')::jsonb ->> 'workflowState' AS state;
SELECT pg_temp.detail(format('SELECT qehs.record_transition(%L, ''report'', comment => ''again'')', :'id'));
SELECT qehs.record_update(:'id', '{"plan":null}') IS NOT NULL AS changed;
SELECT pg_temp.detail(format('SELECT qehs.record_transition(%L, ''report'')', :'id'));
-- faults of definitions
SELECT e ->> 'path' AS path, e ->> 'code' AS code, e ->> 'message' AS message FROM jsonb_array_elements(pg_temp.detail($call$SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"title","type":"text"},{"key":"who","type":"user"}],
 "workflow":{"states":["open"],"initial":"open","transitions":{"go":{"from":"open","to":"open","effects":[{"createRecord":{"moduleKey":"plans","payload":{"title":"$.","x":["$other"]},"more":1}},
  {"updateParent":{"via":"none"}},{"setField":{"none":1,"title":"$user + "}},{"assign":{"field":"title","to":"@title"}},{"assign":{"field":"who"}},{"event":""},{"event":{"payload":1}},{"mail":{}},{},
  {"event":"a","setField":{}},1]}}}}')$call$) -> 'errors') AS e;
SELECT e ->> 'path' AS path, e ->> 'code' AS code, e ->> 'message' AS message FROM jsonb_array_elements(pg_temp.detail($call$SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"title","type":"text"}],
 "workflow":{"states":["open"],"initial":"open","transitions":{"go":{"from":"open","to":"open","effects":[{"createRecord":{"moduleKey":"plans","payload":{"titel":"x"}}},
  {"createRecord":{"moduleKey":"nothing","payload":{}}},{"updateParent":{"via":"title","payload":{}}}]}}}}')$call$) -> 'errors') AS e;
