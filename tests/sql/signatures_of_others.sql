-- Whose signature it is: another's secret does not sign, wrong ones lock their own signer out for 15 minutes and nobody else, and nobody signs a version that is no more.
\set VERBOSITY terse
\set ECHO none
SET qehs.clock = '2027-01-01T00:00:00Z';
\o /dev/null
SELECT qehs.tenant_create('signers', 'A tenant');
SELECT qehs.use_tenant('signers');
SELECT qehs.user_create('ann', 'Ann', roles => '{tenant-user}'), qehs.user_create('bob', 'Bob', roles => '{tenant-user}');
SELECT qehs.module_publish('files', '{"key":"files","name":"Files","displayCode":{"prefix":"FIL"},"fields":[{"key":"title","type":"text"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed","signature":{"meaning":"reviewed"}},"reopen":{"from":"closed","to":"open"}}},
 "permissions":{"roles":{"tenant-user":["read","create","update","transition"]}}}');
SELECT qehs.record_create('files', '{"title":"one"}') ->> 'id' AS id \gset
CREATE FUNCTION pg_temp.signed(who text, id text, credential text, version int DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
	state text;
BEGIN
	PERFORM qehs.use_tenant('signers', who);
	state := qehs.record_transition(id, 'close', signature => jsonb_build_object('meaning', 'reviewed', 'credential', credential), if_match => '"' || version || '"') ->> 'workflowState';
	PERFORM qehs.record_transition(id, 'reopen');
	RETURN state;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME;
	RETURN code;
END
$$;
CREATE VIEW pg_temp.failures AS SELECT u.user_name, c.failures FROM qehs.signature_credential AS c JOIN qehs.user_account AS u ON u.id = c.user_id JOIN qehs.tenant AS t ON t.id = c.tenant_id WHERE t.slug = 'signers' ORDER BY 1;
SELECT qehs.use_tenant('signers', 'ann'), qehs.signature_credential_set('the secret of Ann');
\o
\set ECHO all
-- Bob has none yet, then one of his own: Ann's is not his, and what he sends counts against him
SELECT pg_temp.signed('bob', :'id', 'the secret of Ann') AS without;
SELECT qehs.signature_credential_set('the secret of Bob');
SELECT pg_temp.signed('bob', :'id', 'the secret of Ann') AS of_ann;
SELECT * FROM pg_temp.failures;
SELECT pg_temp.signed('bob', :'id', 'the secret of Bob') AS own, pg_temp.signed('ann', :'id', 'the secret of Ann') AS of_herself;
SELECT * FROM pg_temp.failures;
-- upper case, a part, more, nothing
SELECT secret, pg_temp.signed('ann', :'id', secret) FROM unnest('{the secret of ann,the secret of An,"the secret of Ann ",""}'::text[]) AS secret;
SELECT * FROM pg_temp.failures;
SELECT pg_temp.signed('ann', :'id', 'the secret of Ann') AS right;
-- five wrong ones lock her out, not Bob; her secret does not help, nor to set another; 15 minutes later it does
SELECT string_agg(pg_temp.signed('ann', :'id', 'wrong ' || i), ' ' ORDER BY i) AS wrong FROM generate_series(1, 5) AS i;
SELECT pg_temp.signed('ann', :'id', 'the secret of Ann') AS locked_out, pg_temp.signed('bob', :'id', 'the secret of Bob') AS bob;
SELECT qehs.use_tenant('signers', 'ann') IS NOT NULL AS entered;
SELECT qehs.signature_credential_set('another of Ann', 'the secret of Ann');
SET qehs.clock = '2027-01-01T00:14:59Z';
SELECT pg_temp.signed('ann', :'id', 'the secret of Ann') AS still;
SET qehs.clock = '2027-01-01T00:15:01Z';
SELECT pg_temp.signed('ann', :'id', 'wrong') AS wrong, pg_temp.signed('ann', :'id', 'the secret of Ann') AS no_more;
SELECT * FROM pg_temp.failures;
-- a version that is no more: not signed, and the secret is not looked at
SELECT qehs.record_get(:'id') ->> 'version' AS version \gset
SELECT qehs.record_update(:'id', '{"title":"changed"}') IS NOT NULL AS changed;
SELECT pg_temp.signed('ann', :'id', 'the secret of Ann', :version) AS old, pg_temp.signed('ann', :'id', 'wrong', :version) AS old_and_wrong, pg_temp.signed('ann', :'id', 'the secret of Ann', :version + 1) AS current;
SELECT * FROM pg_temp.failures;
SELECT count(*) FILTER (WHERE a ->> 'type' = 'transitioned' AND a -> 'signature' IS NOT NULL) AS signatures FROM json_array_elements(qehs.record_activity(:'id') -> 'items') AS a;
