-- n of m people approve before a transition is fired: in their order or not, for themselves or another, of the record as it stands.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('approvals', 'Approvals');
SELECT qehs.use_tenant('approvals');
SELECT qehs.user_create(u, initcap(u), roles => r) FROM (VALUES ('ann', '{reviewer}'::text[]), ('bob', '{reviewer}'), ('cid', '{reviewer}'), ('dan', '{boss}'), ('eve', '{viewer}'), ('fay', '{author}')) AS v (u, r);
SELECT qehs.module_publish('papers', '{"key":"papers","name":"Papers","displayCode":{"prefix":"PAP"},
 "fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"}],
 "workflow":{"states":["review","approved","draft"],"initial":"review","transitions":{
  "approve":{"from":"review","to":"approved","roles":["author"],"requires":["title"],"notSameActorAs":"@owner","approvers":{"count":2,"role":"reviewer","reject":"return"},"effects":[{"event":"approved"}]},
  "release":{"from":"review","to":"approved","approvers":{"steps":[{"role":"reviewer"},{"role":["boss","@owner"]}]}},
  "pass":{"from":"review","to":"approved","approvers":{"order":"parallel","steps":[{"count":2,"role":"reviewer"},{"role":"boss"}]}},
  "return":{"from":"review","to":"draft","roles":["author"],"commentRequired":true},"show":{"from":"*","to":"review"}}},
 "permissions":{"roles":{"author":["read","create","update","transition"],"reviewer":["read"],"boss":["read"],"viewer":["read"]}}}');
CREATE FUNCTION pg_temp.as_user(name text, call text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	told text;
	code text;
	answer jsonb;
BEGIN
	PERFORM qehs.use_tenant('approvals', name);
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN jsonb_strip_nulls(jsonb_build_object('state', answer -> 'workflowState', 'version', answer -> 'version', 'approvals', answer -> 'approvals'));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL, code = CONSTRAINT_NAME;
	RETURN jsonb_build_object('code', code, 'errors', told::jsonb -> 'errors');
END
$$;
CREATE FUNCTION pg_temp.paper(title text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM qehs.use_tenant('approvals', 'fay');
	RETURN qehs.record_create('papers', jsonb_build_object('title', title)) ->> 'id';
END
$$;
CREATE FUNCTION pg_temp.decided(id text) RETURNS TABLE (transition text, step int, version int, decision text, by text, for_whom text, comment text) LANGUAGE sql AS $$
SELECT i ->> 'transition', (i -> 'step')::int, (i -> 'version')::int, i ->> 'decision', i -> 'by' ->> 'displayName', i -> 'onBehalfOf' ->> 'displayName', i ->> 'comment'
FROM jsonb_array_elements(qehs.record_approvals(id)::jsonb -> 'items') AS i
$$;
SELECT pg_temp.paper('one') AS id, pg_temp.paper('two') AS two, pg_temp.paper('three') AS three, pg_temp.paper('four') AS four \gset
\o
\set ECHO all
-- the author may fire it and is no approver: what is missing is a guard; who is neither is told both
SELECT pg_temp.as_user('fay', format('qehs.record_transition(%L, ''approve'')', :'id'));
SELECT pg_temp.as_user('eve', format('qehs.record_approve(%L, ''approve'')', :'id'));
-- one of two, by a transition; twice is once
SELECT pg_temp.as_user('ann', format('qehs.record_transition(%L, ''approve'')', :'id'));
SELECT pg_temp.as_user('ann', format('qehs.record_approve(%L, ''approve'')', :'id'));
-- a change makes it void
SELECT pg_temp.as_user('fay', format('qehs.record_update(%L, ''{"title":"uno"}'')', :'id'));
SELECT pg_temp.as_user('bob', format('qehs.record_approve(%L, ''approve'', ''good'')', :'id'));
SELECT pg_temp.as_user('ann', format('qehs.record_approve(%L, ''approve'', if_match => ''"1"'')', :'id'));
SELECT qehs.record_approvals(:'id')::jsonb -> 'pending' -> 0 AS pending;
-- the last one fires it
SELECT pg_temp.as_user('ann', format('qehs.record_approve(%L, ''approve'')', :'id'));
SELECT pg_temp.as_user('cid', format('qehs.record_approve(%L, ''approve'')', :'id'));
SELECT * FROM pg_temp.decided(:'id');
SELECT jsonb_path_query_array(qehs.record_get(:'id')::jsonb, '$.activity[*].type') AS activity;
SELECT topic FROM qehs.outbox WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'approvals');
-- a rejection returns the record, with the comment that the way back demands
SELECT pg_temp.as_user('ann', format('qehs.record_approve(%L, ''approve'')', :'two'));
SELECT pg_temp.as_user('eve', format('qehs.record_reject(%L, ''approve'', ''no'')', :'two'));
SELECT pg_temp.as_user('bob', format('qehs.record_reject(%L, ''approve'')', :'two'));
SELECT pg_temp.as_user('bob', format('qehs.record_reject(%L, ''approve'', ''not yet'')', :'two'));
SELECT pg_temp.as_user('fay', format('qehs.record_transition(%L, ''show'')', :'two'));
SELECT qehs.record_approvals(:'two')::jsonb -> 'pending' -> 0 -> 'steps' AS steps;
-- one after the other; a rejection without a way back makes void what was approved
SELECT pg_temp.as_user('dan', format('qehs.record_approve(%L, ''release'')', :'two'));
SELECT pg_temp.as_user('cid', format('qehs.record_approve(%L, ''release'')', :'two'));
SELECT pg_temp.as_user('dan', format('qehs.record_reject(%L, ''release'')', :'two'));
SELECT pg_temp.as_user('cid', format('qehs.record_approve(%L, ''release'')', :'two'));
SELECT pg_temp.as_user('dan', format('qehs.record_approve(%L, ''release'')', :'two'));
-- at once
SELECT pg_temp.as_user('dan', format('qehs.record_approve(%L, ''pass'')', :'three'));
SELECT pg_temp.as_user('ann', format('qehs.record_approve(%L, ''pass'')', :'three'));
SELECT pg_temp.as_user('bob', format('qehs.record_approve(%L, ''pass'')', :'three'));
-- bob is away, and eve approves for him: not without a delegation, not when it has ended, not for bob and then by bob
SELECT pg_temp.as_user('eve', format('qehs.record_approve(%L, ''approve'')', :'four')) -> 'errors' -> 0 -> 'code' AS code;
SELECT qehs.use_tenant('approvals', 'bob') \g /dev/null
SELECT qehs.delegation_create('eve', now() - interval '1 day', now() + interval '1 day', reason => 'away') ->> 'id' AS delegation \gset
SELECT i -> 'from' ->> 'displayName' AS "from", i -> 'to' ->> 'displayName' AS "to", i ->> 'reason' AS reason, i -> 'revokedAt' AS revoked FROM jsonb_array_elements(qehs.delegation_list()::jsonb -> 'items') AS i;
-- the list goes by a cursor, newest first
SELECT qehs.delegation_create('cid', now(), now() + interval '1 day', reason => 'later') IS NOT NULL AS made;
SELECT qehs.delegation_list(1) AS first \gset
SELECT :'first'::jsonb #>> '{items,0,reason}' AS first, qehs.delegation_list(1, :'first'::jsonb ->> 'nextCursor') #>> '{items,0,reason}' AS second, qehs.delegation_list(1, :'first'::jsonb ->> 'nextCursor') ->> 'nextCursor' AS more;
SELECT qehs.delegation_revoke(:'first'::jsonb #>> '{items,0,id}');
SELECT qehs.delegation_create('nobody', now(), now() - interval '1 day', 'ann');
SELECT qehs.delegation_create('eve', now(), now() + interval '1 day', 'ann');
SET qehs.clock = '2100-01-01T00:00:00Z';
SELECT pg_temp.as_user('eve', format('qehs.record_approve(%L, ''approve'')', :'four')) -> 'errors' -> 0 -> 'code' AS code;
RESET qehs.clock;
SELECT pg_temp.as_user('eve', format('qehs.record_approve(%L, ''approve'', ''for bob'')', :'four')) -> 'approvals' -> 'steps' AS steps;
SELECT pg_temp.as_user('bob', format('qehs.record_approve(%L, ''approve'')', :'four')) ->> 'code' AS code;
SELECT * FROM pg_temp.decided(:'four');
SELECT actor.user_name, other.user_name AS on_behalf_of FROM qehs.audit_event AS e JOIN qehs.user_account AS actor ON actor.tenant_id = e.tenant_id AND actor.id = e.actor_id
	JOIN qehs.user_account AS other ON other.tenant_id = e.tenant_id AND other.id = e.on_behalf_of WHERE e.tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'approvals');
SELECT qehs.use_tenant('approvals', 'bob') \g /dev/null
SELECT qehs.delegation_revoke(:'delegation');
SELECT qehs.delegation_revoke(:'delegation');
-- a payload does not go with an approval
SELECT pg_temp.as_user('ann', format('qehs.record_transition(%L, ''approve'', ''{"title":"x"}'')', :'four')) -> 'errors' AS errors;
SELECT qehs.use_tenant('approvals') \g /dev/null
-- who delegates to whom is in the trail
SELECT e ->> 'type' AS type, e ->> 'subjectId' LIKE 'dlg\_%' AS subject, jsonb_path_query_array(e, '$.changes[*].path') AS changes
FROM jsonb_array_elements(qehs.audit_list()::jsonb -> 'items') AS e WHERE e ->> 'type' LIKE 'delegation.%';
-- faults of definitions
\set VERBOSITY default
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},"fields":[{"key":"title","type":"text"}],
 "workflow":{"states":["open"],"initial":"open","transitions":{"a":{"from":"open","to":"open","approvers":{"count":0,"role":"@title","order":"any","reject":"none","more":1},"signature":"yes"},
  "b":{"from":"open","to":"open","approvers":{"count":1,"steps":[{"count":"x"},1],"reject":"a"},"signature":{"meaning":[1],"credential":"x"}},"c":{"from":"open","to":"open","approvers":{"steps":[]}}}}}');
