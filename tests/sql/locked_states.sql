-- A state that locks does so at every door: update, the payload of a transition, deletion, an upsert in bulk, GraphQL and migration.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('locked', 'Locked');
SELECT qehs.use_tenant('locked');
SELECT qehs.user_create('ann', 'Ann', roles => '{tenant-user}'), qehs.user_create('bob', 'Bob', roles => '{tenant-user,editor}');
CREATE TEMP TABLE definition AS SELECT '{"key":"files","name":"Files","displayCode":{"prefix":"FIL"},
 "fields":[{"key":"title","type":"text"},{"key":"code","type":"identifier","maxLength":20},{"key":"owner","type":"user"},{"key":"text","type":"text"},{"key":"reason","type":"text"}],
 "workflow":{"states":["open","review","closed"],"initial":"open","transitions":{"show":{"from":"open","to":"review"},"close":{"from":["open","review"],"to":"closed"},
  "reopen":{"from":"closed","to":"open","requires":["reason"]}}},
 "permissions":{"roles":{"tenant-user":["read","create","update","transition","delete","bulk.state"]},
  "states":{"review":{"edit":["editor"],"fields":{"text":["@owner"]}},"closed":{"edit":[]}}}}'::jsonb AS d;
SELECT qehs.module_publish('files', d) FROM definition;
SELECT qehs.use_tenant('locked', 'ann');
SELECT qehs.record_create('files', '{"title":"x"}')::jsonb -> 'createdBy' ->> 'id' AS ann \gset
SELECT qehs.record_create('files', jsonb_build_object('title', 'one', 'code', 'A1', 'owner', :'ann', 'text', 'first'))::jsonb ->> 'id' AS id \gset
CREATE FUNCTION pg_temp.upserted(line jsonb) RETURNS jsonb LANGUAGE sql AS $$
SELECT qehs.bulk_load('files', convert_to(line::text, 'UTF8'), on_conflict => 'update', external_id => 'code')::jsonb - 'id'
$$;
CREATE FUNCTION pg_temp.detail(call text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	EXECUTE call;
	RETURN '"done"';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
	RETURN told::jsonb -> 'errors';
END
$$;
\o
\set ECHO all
SELECT qehs.record_transition(:'id', 'show')::jsonb ->> 'workflowState' AS state;
-- ann owns it: its text is hers to change, and nothing else; what she sends back as it is is no change
SELECT pg_temp.detail(format('SELECT qehs.record_update(%L, ''{"text":"second","title":"two","code":"A1"}'')', :'id'));
SELECT qehs.record_update(:'id', '{"text":"second","title":"one"}')::jsonb -> 'payload' ->> 'text' AS text;
SELECT qehs.record_delete(:'id');
SELECT qehs.use_tenant('locked', 'bob') \g /dev/null
SELECT pg_temp.detail(format('SELECT qehs.record_update(%L, ''{"text":"third","title":"two"}'')', :'id'));
SELECT qehs.record_update(:'id', '{"title":"two"}')::jsonb -> 'payload' ->> 'title' AS title;
-- closed is closed for all: no administrator is above it
SELECT qehs.record_transition(:'id', 'close')::jsonb ->> 'workflowState' AS state;
SELECT qehs.use_tenant('locked') \g /dev/null
SELECT pg_temp.detail(format('SELECT qehs.record_update(%L, ''{"title":"three"}'')', :'id'));
SELECT pg_temp.upserted('{"code":"A1","title":"three"}');
SELECT pg_temp.upserted('{"payload":{"code":"A1"},"workflowState":"open"}');
SELECT qehs.bulk_load('files', '{"code":"A1","title":"three"}', on_conflict => 'update', external_id => 'code', dry_run => true)::jsonb;
SELECT qehs.record_delete(:'id');
SELECT (qehs.graphql(format('mutation { filesUpdate(id: "%s", payload: {title: "three"}) { id } }', :'id'))::jsonb -> 'errors' -> 0 -> 'extensions') - 'traceId' AS graphql;
-- a transition leaves it, with what it requires and nothing else
SELECT pg_temp.detail(format('SELECT qehs.record_transition(%L, ''reopen'', ''{"reason":"new facts","title":"three"}'')', :'id'));
-- a migration that changes what it holds does not pass, one that only renames does
SELECT qehs.module_publish('files', jsonb_set(d, '{fields,4}', '{"key":"reason","type":"text","default":"none","required":true}') || '{"migrate":{"default":{"reason":"none"}}}')::jsonb -> 'definitionVersion' AS version FROM definition;
SELECT pg_temp.detail(format('SELECT qehs.record_migrate(%L)', :'id'));
SELECT qehs.module_publish('files', jsonb_set(d, '{fields,3,key}', '"body"') #- '{permissions,states,review,fields}' || '{"migrate":{"rename":{"text":"body"}}}')::jsonb -> 'definitionVersion' AS version FROM definition;
SELECT qehs.record_transition(:'id', 'reopen', '{"reason":"new facts"}')::jsonb ->> 'workflowState' AS state;
SELECT qehs.record_transition(:'id', 'close')::jsonb ->> 'workflowState' AS state;
SELECT qehs.record_migrate(:'id')::jsonb -> 'payload' - 'owner' AS moved;
-- faults of definitions
SELECT pg_temp.detail(format('SELECT qehs.module_publish(''files'', %L)', jsonb_set(d, '{permissions,states}', '{"lost":{},"open":[],"closed":{"edit":"all","fields":{"none":[],"text":["@title"]},"write":[]}}'))) FROM definition;
