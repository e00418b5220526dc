-- Who approves is told that he may, once and while he may; nobody approves his own work through another, and a rejection is signed as one.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-06-01T12:00:00Z';
SELECT qehs.tenant_create('by_people', 'By people');
SELECT qehs.use_tenant('by_people');
SELECT qehs.user_create(u, initcap(u), roles => r) FROM (VALUES ('ann', '{reviewer}'::text[]), ('bob', '{reviewer}'), ('cid', '{reviewer,boss}'), ('dan', '{boss}'), ('eve', '{viewer}'), ('fay', '{author}')) AS v (u, r);
SELECT qehs.module_publish('papers', '{"key":"papers","name":"Papers","displayCode":{"prefix":"PAP"},"fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"}],
 "workflow":{"states":["review","approved","draft"],"initial":"review","transitions":{
  "approve":{"from":"review","to":"approved","roles":["author"],"notSameActorAs":["@owner","@createdBy"],"approvers":{"count":2,"role":["reviewer","@owner"]}},
  "release":{"from":"review","to":"approved","approvers":{"steps":[{"role":"reviewer"},{"role":"boss"}]}},
  "sign":{"from":"review","to":"approved","signature":{"meaning":"approved"},"approvers":{"count":1,"role":"reviewer","reject":"return"}},
  "return":{"from":"review","to":"draft","roles":["author"],"signature":{"meaning":"rejected"}}}},
 "permissions":{"roles":{"author":["read","create","update","transition"],"reviewer":["read"],"boss":["read"],"viewer":["read"]}}}');
CREATE FUNCTION pg_temp.as_user(name text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
	answer jsonb;
BEGIN
	PERFORM qehs.use_tenant('by_people', name);
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN concat_ws(' ', answer ->> 'workflowState', 'missing ' || (SELECT string_agg(s ->> 'missing', ' ') FROM jsonb_array_elements(answer #> '{approvals,steps}') AS s));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
	RETURN CASE WHEN told ~ '^\{' THEN told::jsonb #>> '{errors,0,path}' || ' ' || (told::jsonb #>> '{errors,0,message}') ELSE SQLERRM END;
END
$$;
CREATE FUNCTION pg_temp.paper(more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM qehs.use_tenant('by_people', 'fay');
	RETURN qehs.record_create('papers', '{"title":"x"}'::jsonb || more) ->> 'id';
END
$$;
CREATE FUNCTION pg_temp.available(id text) RETURNS TABLE (who text, may text) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH who IN ARRAY '{ann,bob,cid,dan,eve,fay}'::text[] LOOP
		PERFORM qehs.use_tenant('by_people', who);
		may := (SELECT string_agg(t ->> 'name', ', ') FROM json_array_elements(qehs.record_get(id) -> 'availableTransitions') AS t);
		RETURN NEXT;
	END LOOP;
END
$$;
SELECT pg_temp.paper() AS id, pg_temp.paper() AS two, pg_temp.paper() AS three \gset
SELECT qehs.use_tenant('by_people', 'bob');
SELECT qehs.delegation_create('eve', '2026-06-01T12:00:00Z', '2026-06-02T12:00:00Z', reason => 'away') ->> 'id' AS delegation;
SELECT qehs.delegation_create('fay', '2026-06-01T12:00:00Z', '2026-06-02T12:00:00Z', reason => 'away');
SELECT qehs.use_tenant('by_people', 'eve');
SELECT qehs.delegation_create('dan', '2026-06-01T12:00:00Z', '2026-06-02T12:00:00Z');
\o
\set ECHO all
-- who may approve is told so, for himself or for another: the second step after the first, and nobody twice; who may only ask for it is told by what it lacks
SELECT * FROM pg_temp.available(:'id');
SELECT pg_temp.as_user('ann', format('qehs.record_approve(%L, ''approve'')', :'id')) AS ann, pg_temp.as_user('cid', format('qehs.record_approve(%L, ''release'')', :'id')) AS cid;
SELECT * FROM pg_temp.available(:'id');
-- who created it does not approve it, in nobody's place; what was delegated is not handed on
SELECT pg_temp.as_user('fay', format('qehs.record_approve(%L, ''approve'')', :'id')) AS fay;
SELECT pg_temp.as_user('dan', format('qehs.record_approve(%L, ''approve'')', :'id')) AS dan;
-- from the first moment of a delegation to before its last
SET qehs.clock = '2026-06-01T11:59:59.999Z';
SELECT may FROM pg_temp.available(:'two') WHERE who = 'eve';
SET qehs.clock = '2026-06-02T11:59:59.999Z';
SELECT may FROM pg_temp.available(:'two') WHERE who = 'eve';
SET qehs.clock = '2026-06-02T12:00:00Z';
SELECT may FROM pg_temp.available(:'two') WHERE who = 'eve';
SET qehs.clock = '2026-06-01T12:00:00Z';
-- an approval is of who was an approver when he gave it: it counts though he has lost the role, and he gives no more
DELETE FROM qehs.role_member AS m USING qehs.user_account AS u, qehs.tenant AS t WHERE t.slug = 'by_people' AND u.tenant_id = t.id AND u.user_name = 'ann' AND m.tenant_id = t.id AND m.user_id = u.id;
SELECT pg_temp.as_user('ann', format('qehs.record_approve(%L, ''approve'')', :'two')) AS ann;
SELECT pg_temp.as_user('bob', format('qehs.record_approve(%L, ''approve'')', :'id')) AS bob;
-- a rejection is signed with a meaning of the transition that returns the record
SELECT pg_temp.as_user('bob', 'to_jsonb(qehs.signature_credential_set(''a secret of bob''))') AS set;
SELECT pg_temp.as_user('bob', format('qehs.record_reject(%L, ''sign'', ''no'')', :'three')) AS bob;
SELECT pg_temp.as_user('bob', format('qehs.record_reject(%L, ''sign'', ''no'', ''{"meaning":"approved","credential":"a secret of bob"}'')', :'three')) AS bob;
SELECT pg_temp.as_user('bob', format('qehs.record_reject(%L, ''sign'', ''no'', ''{"meaning":"rejected","credential":"a secret of bob"}'')', :'three')) AS bob;
