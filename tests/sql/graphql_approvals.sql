-- Approvals, rejections and signatures by GraphQL are those of the functions.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('gql_approvals', 'Approvals by GraphQL');
SELECT qehs.use_tenant('gql_approvals');
SELECT qehs.user_create('ann', 'Ann', roles => '{tenant-owner}'), qehs.user_create('bob', 'Bob', roles => '{tenant-owner}');
SELECT qehs.module_publish('files', '{"key":"files","name":"Files","displayCode":{"prefix":"FIL"},"fields":[{"key":"title","type":"text"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed","approvers":{"count":2,"role":"tenant-owner"},"signature":true},
  "reopen":{"from":"closed","to":"open","signature":{"meaning":"responsibility"}}}}}');
SELECT qehs.module_publish('plain', '{"key":"plain","name":"Plain","displayCode":{"prefix":"PLN"},"fields":[{"key":"title","type":"text"}],"workflow":{"states":["open"],"initial":"open"}}');
SELECT qehs.record_create('files', '{"title":"one"}') ->> 'id' AS id \gset
SELECT qehs.use_tenant('gql_approvals', n), qehs.signature_credential_set('the secret of ' || n) FROM unnest('{ann,bob}'::text[]) AS n;
CREATE FUNCTION pg_temp.decide(field text, id text, name text, transition text DEFAULT 'close', meaning text DEFAULT 'approval') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM qehs.use_tenant('gql_approvals', name);
	answer := qehs.graphql(format('mutation ($id: ID!, $t: String!, $s: JSON) { %s(id: $id, transition: $t, signature: $s) { workflowState } }', field), jsonb_build_object('id', id, 't', transition,
		's', jsonb_build_object('meaning', meaning, 'credential', 'the secret of ' || name)));
	RETURN QUERY SELECT coalesce(answer -> 'data' -> field ->> 'workflowState', 'null');
	RETURN QUERY SELECT (e -> 'extensions' ->> 'code') || ': ' || (e ->> 'message') FROM jsonb_array_elements(answer -> 'errors') AS e;
END
$$;
\o
\set ECHO all
SELECT pg_temp.decide('filesApprove', :'id', 'ann');
SELECT pg_temp.decide('filesApprove', :'id', 'ann');
SELECT pg_temp.decide('filesReject', :'id', 'bob');
SELECT pg_temp.decide('filesApprove', :'id', 'ann');
SELECT pg_temp.decide('filesApprove', :'id', 'bob');
SELECT pg_temp.decide('filesTransition', :'id', 'bob', 'reopen');
SELECT pg_temp.decide('filesTransition', :'id', 'bob', 'reopen', 'responsibility');
SELECT i -> 'decision' AS decision, i -> 'by' ->> 'displayName' AS by, i -> 'signature' ->> 'meaning' AS meaning FROM jsonb_array_elements(qehs.record_approvals(:'id')::jsonb -> 'items') AS i;
-- a module without approvers has no such fields
SELECT pg_temp.decide('plainApprove', :'id', 'ann');
