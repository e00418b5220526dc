-- All guards of a transition are looked at, and each that does not hold is told, by one entry of errors each.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('guards', 'Guards');
SELECT qehs.use_tenant('guards');
SELECT qehs.user_create('ann', 'Ann', roles => '{tenant-user}'), qehs.user_create('bob', 'Bob', roles => '{tenant-user,verifier}');
SELECT qehs.module_publish('parts', '{"key":"parts","name":"Parts","displayCode":{"prefix":"PRT"},
 "fields":[{"key":"title","type":"text"},{"key":"parent","type":"record-reference"},{"key":"other","type":"record-reference"}],
 "workflow":{"states":["open","done","gone"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"},"reopen":{"from":"done","to":"open"},"drop":{"from":"open","to":"gone"}}},
 "permissions":{"roles":{"tenant-user":["read","create","update","transition","delete"]}}}');
SELECT qehs.module_publish('wholes', '{"key":"wholes","name":"Wholes","displayCode":{"prefix":"WHL"},
 "fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"},{"key":"note","type":"text"},{"key":"result","type":"text"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{
  "close":{"from":"open","to":"closed","roles":["verifier"],"requires":["note","result"],"when":"$.result == \"good\"","notSameActorAs":"@owner","commentRequired":true,
   "children":[{"moduleKey":"parts","via":"parent","state":["done","gone"]},{"moduleKey":"parts","via":"parent","min":1}]},
  "void":{"from":"*","to":"closed"},
  "own":{"from":"open","to":"closed","roles":["@owner","@createdBy"]}}},
 "permissions":{"roles":{"tenant-user":["read","create","update"]}}}');
CREATE FUNCTION pg_temp.refused(id text, transition text, payload jsonb DEFAULT NULL, comment text DEFAULT NULL) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	told text;
	code text;
BEGIN
	PERFORM qehs.record_transition(id, transition, payload, comment);
	RETURN NEXT '"fired"';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL, code = CONSTRAINT_NAME;
	RETURN QUERY SELECT to_jsonb(SQLSTATE || ' ' || code);
	RETURN QUERY SELECT jsonb_array_elements(told::jsonb -> 'errors');
END
$$;
SELECT qehs.use_tenant('guards', 'ann');
SELECT qehs.record_create('parts', '{}')::jsonb -> 'createdBy' ->> 'id' AS ann \gset
SELECT qehs.record_create('wholes', jsonb_build_object('title', 'one', 'owner', :'ann'))::jsonb ->> 'id' AS id \gset
SELECT qehs.record_create('parts', jsonb_build_object('title', 'a part', 'parent', :'id'))::jsonb ->> 'id' AS part \gset
SELECT qehs.record_create('parts', jsonb_build_object('title', 'no part', 'other', :'id'))::jsonb ->> 'id' AS other \gset
\o
\set ECHO all
-- ann owns it and is no verifier: every guard is unmet, but that one part is there
SELECT pg_temp.refused(:'id', 'close');
\set ECHO none
\o /dev/null
SELECT qehs.use_tenant('guards', 'bob');
SELECT qehs.record_create('parts', '{}')::jsonb -> 'createdBy' ->> 'id' AS bob \gset
\o
\set ECHO all
-- bob is; what he sends counts
SELECT pg_temp.refused(:'id', 'close', '{"note":"seen","result":"bad"}', 'looked at it');
SELECT jsonb_path_query_array(qehs.record_get(:'id')::jsonb, '$.availableTransitions[*].name') AS available;
SELECT qehs.record_transition(:'part', 'finish')::jsonb ->> 'workflowState' AS part;
-- a deleted part counts no more, and one that refers by another field never did
SELECT qehs.record_delete(:'part') IS NULL AS deleted;
SELECT pg_temp.refused(:'id', 'close', '{"note":"seen","result":"good"}', 'looked at it');
SELECT qehs.record_restore(:'part')::jsonb ->> 'workflowState' AS part;
-- a role that the record gives
SELECT pg_temp.refused(:'id', 'own');
SELECT pg_temp.refused(:'id', 'close', '{"note":"seen","result":"good"}', 'looked at it');
-- the state comes before the guards
SELECT pg_temp.refused(:'id', 'close');
-- the links follow the payloads
SELECT count(*) FROM qehs.record_link WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'guards');
SELECT qehs.record_update(:'other', '{"other":null}') IS NOT NULL AS changed;
SELECT count(*) FROM qehs.record_link WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'guards');
-- a transition that names no roles needs the action, which no guard gives
SELECT pg_temp.refused(:'id', 'void');
-- nobody verifies what is his own, whichever roles he has
SELECT qehs.record_create('wholes', jsonb_build_object('title', 'two', 'owner', :'bob'))::jsonb ->> 'id' AS two \gset
SELECT qehs.record_create('parts', jsonb_build_object('parent', :'two'))::jsonb ->> 'id' AS part \gset
SELECT qehs.record_transition(:'part', 'drop')::jsonb ->> 'workflowState' AS part;
SELECT pg_temp.refused(:'two', 'close', '{"note":"seen","result":"good"}', 'looked at it');
-- faults of definitions
SELECT qehs.use_tenant('guards') \g /dev/null
SELECT qehs.module_publish('wholes', '{"key":"wholes","name":"Wholes","displayCode":{"prefix":"WHL"},
 "fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"},{"key":"note","type":"text"},{"key":"result","type":"text"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{
  "close":{"from":"open","to":"closed","notSameActorAs":["@title","verifier",1],"children":[{"moduleKey":"parts","via":"title","state":"lost"},
   {"moduleKey":"nothing","via":"parent","min":0,"state":[]},{"via":"parent","more":1}]}}}}');
\set VERBOSITY default
SELECT qehs.module_publish('wholes', '{"key":"wholes","name":"Wholes","displayCode":{"prefix":"WHL"},
 "fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"},{"key":"note","type":"text"},{"key":"result","type":"text"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{
  "close":{"from":"open","to":"closed","children":[{"moduleKey":"parts","via":"title","state":"lost"},{"moduleKey":"nothing","via":"parent","min":1}]}}}}');
