-- An electronic signature: a second secret of the person, what it means, of which version; wrong ones are counted and audited though the request fails.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('signatures', 'Signatures');
SELECT qehs.use_tenant('signatures');
SELECT qehs.user_create('ann', 'Ann Auditor', roles => '{tenant-user}'), qehs.user_create('bob', 'Bob', roles => '{tenant-user}');
SELECT qehs.module_publish('files', '{"key":"files","name":"Files","displayCode":{"prefix":"FIL"},"fields":[{"key":"title","type":"text"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed","signature":{"meaning":["reviewed","approved"]}},
  "reopen":{"from":"closed","to":"open"}}},
 "permissions":{"roles":{"tenant-user":["read","create","update","transition"]}}}');
SELECT qehs.record_create('files', '{"title":"one"}') ->> 'id' AS id \gset
CREATE FUNCTION pg_temp.told(call text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	told text;
	code text;
	answer jsonb;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN jsonb_build_object('state', answer -> 'workflowState');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL, code = CONSTRAINT_NAME;
	RETURN jsonb_build_object('code', code, 'errors', told::jsonb -> 'errors');
END
$$;
CREATE FUNCTION pg_temp.signed(id text, credential text, meaning text DEFAULT 'reviewed', transition text DEFAULT 'close') RETURNS jsonb LANGUAGE sql AS $$
SELECT pg_temp.told(format('qehs.record_transition(%L, %L, signature => %L)', id, transition, jsonb_build_object('meaning', meaning, 'credential', credential)))
$$;
\o
\set ECHO all
-- a session of no user has none
SELECT qehs.signature_credential_set('a long secret');
SELECT pg_temp.signed(:'id', 'a long secret');
SELECT qehs.use_tenant('signatures', 'ann') \g /dev/null
SELECT qehs.signature_credential_set('short');
SELECT pg_temp.signed(:'id', 'a long secret');
SELECT qehs.signature_credential_set('a long secret');
-- the table has a hash of crypt(5), and the trail nothing of the secret
SELECT left(hash, 3) AS method, failures FROM qehs.signature_credential WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'signatures');
SELECT qehs.signature_credential_set('another secret');
SELECT qehs.signature_credential_set('another secret', 'not the one before');
SELECT qehs.signature_credential_set('another secret', 'a long secret');
-- what is sent
SELECT pg_temp.told(format('qehs.record_transition(%L, ''close'')', :'id'));
SELECT pg_temp.told(format('qehs.record_transition(%L, ''close'', signature => ''{"meaning":"seen","more":1}'')', :'id'));
SELECT pg_temp.told(format('qehs.record_transition(%L, ''close'', signature => ''"x"'')', :'id'));
SELECT pg_temp.signed(:'id', 'a long secret');
SELECT failures FROM qehs.signature_credential WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'signatures');
SELECT pg_temp.signed(:'id', 'another secret');
SELECT failures FROM qehs.signature_credential WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'signatures');
SELECT s - '{at,payloadHash}'::text[] #- '{signedBy,id}' AS signature, s -> 'at' IS NOT NULL AS at, s ->> 'payloadHash' = encode(sha256(convert_to((r -> 'payload')::text, 'UTF8')), 'hex') AS hash,
	r -> 'version' AS version FROM (SELECT r, r -> 'activity' -> 0 -> 'signature' AS s FROM (SELECT qehs.record_get(:'id')::jsonb AS r) AS a) AS b;
-- of its own accord, where none is asked for
SELECT pg_temp.signed(:'id', 'another secret', 'as I like', 'reopen');
-- five wrong ones, and the right one does not count either until 15 minutes have passed
SELECT pg_temp.signed(:'id', 'wrong') -> 'code' AS code FROM generate_series(1, 5);
SELECT pg_temp.signed(:'id', 'another secret') -> 'code' AS code;
SELECT action, count(*) FROM (SELECT action FROM qehs.audit_event
	WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'signatures') AND action = 'user.signature_failed' AND changes IS NOT NULL) AS e GROUP BY 1;
SET qehs.clock = '2100-01-01T00:00:00Z';
SELECT pg_temp.signed(:'id', 'another secret');
RESET qehs.clock;
-- an administrator takes one away
SELECT qehs.signature_credential_reset('ann');
SELECT qehs.use_tenant('signatures') \g /dev/null
SELECT qehs.signature_credential_reset('ann');
SELECT qehs.signature_credential_reset('ann');
-- when a secret was set, changed and taken away is in the trail, and nothing of it
SELECT e ->> 'type' AS type, e -> 'actor' ->> 'displayName' AS by, e ->> 'subjectId' LIKE 'usr\_%' AS subject, jsonb_path_query_array(e, '$.changes[*].path') AS changes
FROM jsonb_array_elements(qehs.audit_list()::jsonb -> 'items') AS e WHERE e ->> 'type' LIKE 'signatureCredential.%';
