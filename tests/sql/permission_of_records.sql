-- Roles that a record gives: @createdBy and any field of type user, for actions, fields, transitions, references, lists, counts and events.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('by_record', 'A tenant');
SELECT qehs.use_tenant('by_record');
SELECT qehs.user_create('ann', 'Ann', roles => '{}')::jsonb ->> 'id' AS ann, qehs.user_create('bob', 'Bob', roles => '{}')::jsonb ->> 'id' AS bob,
	qehs.user_create('dan', 'Dan', roles => '{helper}')::jsonb ->> 'id' AS dan, qehs.user_create('eve', 'Eve', roles => '{}')::jsonb ->> 'id' AS eve \gset
CREATE FUNCTION pg_temp.titles(list json) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(value #>> '{payload,title}', ' ' ORDER BY value ->> 'id') FROM json_array_elements(list -> 'items') $$;
CREATE FUNCTION pg_temp.as_user(name text) RETURNS text LANGUAGE sql AS $$ SELECT name FROM qehs.use_tenant('by_record', name) $$;
CREATE FUNCTION pg_temp.try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN coalesce(((answer::jsonb -> 'payload') - 'owner' - 'checker' - 'after')::text, 'done');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
\o
\set ECHO all
SELECT qehs.module_publish('tasks', '{"key":"tasks","name":"Tasks","displayCode":{"prefix":"TSK"},
	"fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"},{"key":"checker","type":"user","indexed":true},{"key":"secret","type":"text"},{"key":"wage","type":"integer"},
		{"key":"after","type":"record-reference"}],
	"workflow":{"states":["open","done","shut"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","roles":["@owner"]},"shut":{"from":"*","to":"shut"}}},
	"permissions":{"roles":{"@owner":["read","update"],"@checker":["read","transition"],"@createdBy":["read","delete"],"helper":["create"]},
		"fields":{"secret":{"read":["@checker"],"write":["@owner"]},"wage":{"read":["@owner"]}}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('tasks', jsonb_build_object('title', 'first', 'owner', :'ann', 'checker', :'bob', 'secret', 'key under the mat', 'wage', 12))::jsonb ->> 'id' AS first \gset
SELECT qehs.record_create('tasks', jsonb_build_object('title', 'second', 'owner', :'bob', 'wage', 15))::jsonb ->> 'id' AS second \gset
SELECT pg_temp.as_user('dan');
-- who may write a field of a record that he makes: dan names himself owner
SELECT qehs.record_create('tasks', jsonb_build_object('title', 'third', 'owner', :'dan', 'secret', 'mine'))::jsonb - ARRAY['id','createdAt','updatedAt','createdBy','updatedBy'] #- '{payload,owner}' AS record, now() AS t \gset
SELECT :'record' AS record;
SELECT pg_temp.try(format('qehs.record_create(%L, %L)', 'tasks', jsonb_build_object('title', 'fourth', 'owner', :'ann', 'secret', 'hers')));
SELECT qehs.record_create('tasks', jsonb_build_object('title', 'fifth'))::jsonb ->> 'id' AS fifth \gset
-- each caller: lists, counts and events of what the records let him
SELECT pg_temp.as_user(who) AS caller, pg_temp.titles(qehs.record_list('tasks')) AS listed, pg_temp.titles(qehs.record_list('tasks', q => 'first')) AS found,
	qehs.module_list()::jsonb #> '{items,0,recordCount}' AS counted, (SELECT count(*) FROM json_array_elements((CASE WHEN who <> '' THEN qehs.audit_list() END) -> 'items')) AS events
	FROM (VALUES ('ann'), ('bob'), ('dan'), ('eve')) AS v (who);
-- each caller and action on the first record
SELECT pg_temp.as_user(who) AS caller, pg_temp.try(format('qehs.record_get(%L)', :'first')) AS read, pg_temp.try(format('qehs.record_update(%L, %L)', :'first', '{"wage":13}')) AS updated,
	pg_temp.try(format('qehs.record_update(%L, %L)', :'first', '{"secret":"moved"}')) AS secret, pg_temp.try(format('qehs.record_transition(%L, %L)', :'second', 'finish')) AS finished,
	pg_temp.try(format('qehs.record_activity(%L)', :'first')) AS activity, pg_temp.try(format('qehs.record_delete(%L)', :'first')) AS deleted
	FROM (VALUES ('bob'), ('dan'), ('eve'), ('ann')) AS v (who);
SELECT pg_temp.as_user('ann');
SELECT qehs.record_get(:'first')::jsonb -> 'availableTransitions' AS transitions;
SELECT pg_temp.as_user('bob');
SELECT qehs.record_get(:'first')::jsonb -> 'availableTransitions' AS transitions, jsonb_path_query_array(qehs.record_get(:'first')::jsonb, '$.activity[*].changes[*]') AS changes;
-- a reference names what its writer may read
SELECT pg_temp.as_user('ann');
SELECT pg_temp.try(format('qehs.record_update(%L, %L)', :'first', jsonb_build_object('after', :'second')));
SELECT pg_temp.as_user('bob');
SELECT pg_temp.try(format('qehs.record_update(%L, %L)', :'second', jsonb_build_object('after', :'first'))) AS named;
-- who made it may delete and restore it; its events stay his to read
SELECT pg_temp.as_user('dan');
SELECT pg_temp.try(format('qehs.record_delete(%L)', :'fifth'));
SELECT jsonb_path_query_array(qehs.audit_list(:'fifth')::jsonb, '$.items[*].payload') AS last;
SELECT pg_temp.as_user('eve');
SELECT qehs.audit_list(:'fifth')::jsonb -> 'items' AS last;
-- through a rename of the field that names the user
SELECT qehs.use_tenant('by_record');
SELECT qehs.module_publish('tasks', '{"key":"tasks","name":"Tasks","displayCode":{"prefix":"TSK"},
	"fields":[{"key":"title","type":"text"},{"key":"assignee","type":"user"},{"key":"owner","type":"user"}],
	"workflow":{"states":["open","done","shut"],"initial":"open"},"migrate":{"rename":{"owner":"assignee"},"drop":["checker","secret","wage","after"]},
	"permissions":{"roles":{"@assignee":["read"],"@owner":["read"],"helper":["create"]}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('tasks', jsonb_build_object('title', 'sixth', 'owner', :'eve'))::jsonb ->> 'definitionVersion' AS version;
SELECT pg_temp.as_user(who) AS caller, pg_temp.titles(qehs.record_list('tasks')) AS listed, pg_temp.try(format('qehs.record_get(%L)', :'first')) LIKE '%first%' AS first FROM (VALUES ('ann'), ('bob'), ('eve')) AS v (who);
-- a role that no record gives is refused, and so are actions on what is not there yet

SELECT qehs.use_tenant('by_record');
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},"fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"}],
	"workflow":{"states":["open"],"initial":"open","transitions":{"stay":{"from":"open","to":"open","roles":["@title","@nobody","@owner"]}}},
	"permissions":{"roles":{"@title":["read"],"@nobody":["read"],"@owner":["create","read","bulk.state"],"@createdBy":["update"]},"fields":{"title":{"read":["@title","@owner"],"write":["@nobody"]}}}}');
