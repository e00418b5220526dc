-- The whole life of an incident from psql: reported, investigated with an action, approved by two with signatures, closed, reopened, rejected.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('incident_life', 'A tenant');
SELECT qehs.use_tenant('incident_life');
SELECT qehs.user_create(n, initcap(n), roles => ARRAY[r]) FROM (VALUES ('rita', 'reporter'), ('sam', 'specialist'), ('will', 'worker'), ('mia', 'manager'), ('max', 'manager')) AS p (n, r);
SELECT qehs.module_publish('actions', '{"key":"actions","name":"Actions","displayCode":{"prefix":"ACT"},
 "fields":[{"key":"title","type":"text","required":true},{"key":"parent","type":"record-reference","required":true},{"key":"owner","type":"user"}],
 "workflow":{"states":["open","done","verified"],"initial":"open","transitions":{"complete":{"from":"open","to":"done","roles":["@owner"]},
  "verify":{"from":"done","to":"verified","roles":["manager","worker"],"notSameActorAs":"@owner","effects":[{"updateParent":{"via":"parent","payload":{"last_verified":"$.title"}}}]}}},
 "permissions":{"roles":{"specialist":["read","create","update"],"worker":["read"],"manager":["read"]},"states":{"verified":{"edit":[]}}}}');
SELECT qehs.module_publish('incidents', '{"key":"incidents","name":"Incidents","displayCode":{"prefix":"INC"},
 "fields":[{"key":"title","type":"text","required":true},{"key":"investigator","type":"user"},{"key":"rca_text","type":"text"},{"key":"last_verified","type":"text"},{"key":"closed_at","type":"datetime"}],
 "workflow":{"states":["reported","investigation","review","closed"],"initial":"reported","transitions":{
  "accept":{"from":"reported","to":"investigation","roles":["specialist"],"effects":[{"assign":{"field":"investigator","to":"$user"}},{"createRecord":{"moduleKey":"actions","payload":{"title":"Secure the scene","parent":"$id"}}}]},
  "submit":{"from":"investigation","to":"review","roles":["@investigator"],"requires":["rca_text"],"children":{"moduleKey":"actions","via":"parent","state":"verified","min":1}},
  "close":{"from":"review","to":"closed","approvers":{"count":2,"role":"manager","reject":"return"},"signature":{"meaning":"reviewed"},"notSameActorAs":"@investigator",
   "effects":[{"setField":{"closed_at":"$now"}},{"event":"incident.closed"}]},
  "return":{"from":"review","to":"investigation","roles":["manager"],"commentRequired":true},"reopen":{"from":"closed","to":"investigation","roles":["manager"],"commentRequired":true}}},
 "permissions":{"roles":{"reporter":["read","create"],"specialist":["read","update"],"worker":["read"],"manager":["read"]},"states":{"review":{"edit":[]},"closed":{"edit":[]}}}}');
CREATE FUNCTION pg_temp.as_user(name text) RETURNS void LANGUAGE sql AS $$ SELECT qehs.use_tenant('incident_life', name) $$;
CREATE FUNCTION pg_temp.state(answer json) RETURNS text LANGUAGE sql AS $$ SELECT answer ->> 'workflowState' $$;
SELECT u.id AS will FROM qehs.user_account AS u WHERE user_name = 'will' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'incident_life') \gset
\o
\set ECHO all
SELECT pg_temp.as_user('rita') \g /dev/null
SELECT qehs.record_create('incidents', '{"title":"Slip on wet stairs"}') ->> 'id' AS id \gset
SELECT pg_temp.as_user('sam') \g /dev/null
SELECT pg_temp.state(qehs.record_transition(:'id', 'accept'));
SELECT i ->> 'id' AS action, i -> 'payload' ->> 'title' AS title FROM jsonb_array_elements(qehs.record_list('actions')::jsonb -> 'items') AS i \gset
SELECT :'title' AS made;
SELECT pg_temp.state(qehs.record_transition(:'id', 'submit', '{"rca_text":"No mat at the door"}'));
SELECT qehs.record_update(:'action', jsonb_build_object('owner', :'will')) IS NOT NULL AS given_to_will;
SELECT pg_temp.as_user('will') \g /dev/null
SELECT pg_temp.state(qehs.record_transition(:'action', 'complete'));
SELECT pg_temp.state(qehs.record_transition(:'action', 'verify'));
SELECT pg_temp.as_user('mia') \g /dev/null
SELECT pg_temp.state(qehs.record_transition(:'action', 'verify'));
SELECT pg_temp.as_user('sam') \g /dev/null
SELECT pg_temp.state(qehs.record_transition(:'id', 'submit', '{"rca_text":"No mat at the door"}'));
SELECT pg_temp.as_user('mia') \g /dev/null
SELECT qehs.signature_credential_set('the secret of mia');
SELECT pg_temp.state(qehs.record_approve(:'id', 'close'));
SELECT pg_temp.state(qehs.record_approve(:'id', 'close', signature => '{"meaning":"reviewed","credential":"wrong"}'));
SELECT qehs.record_approve(:'id', 'close', signature => '{"meaning":"reviewed","credential":"the secret of mia"}') -> 'approvals' ->> 'complete' AS complete;
SELECT pg_temp.as_user('max') \g /dev/null
SELECT qehs.signature_credential_set('the secret of max');
SELECT pg_temp.state(qehs.record_approve(:'id', 'close', signature => '{"meaning":"reviewed","credential":"the secret of max"}'));
SELECT a ->> 'type' AS type, a -> 'actor' ->> 'displayName' AS actor, a ->> 'to' AS to, a -> 'signature' -> 'signedBy' ->> 'displayName' AS signed_by, a -> 'signature' ->> 'meaning' AS meaning
FROM jsonb_array_elements(qehs.record_get(:'id')::jsonb -> 'activity') AS a;
SELECT r -> 'payload' ->> 'last_verified' AS last_verified, (r -> 'payload') ? 'closed_at' AS closed_at FROM (SELECT qehs.record_get(:'id')::jsonb AS r) AS g;
SELECT topic FROM qehs.outbox WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'incident_life');
-- locked, also for an administrator
SELECT qehs.use_tenant('incident_life') \g /dev/null
SELECT qehs.record_update(:'id', '{"title":"Fall"}');
SELECT pg_temp.as_user('mia') \g /dev/null
SELECT pg_temp.state(qehs.record_transition(:'id', 'reopen'));
SELECT pg_temp.state(qehs.record_transition(:'id', 'reopen', comment => 'It happened again'));
SELECT pg_temp.as_user('sam') \g /dev/null
SELECT pg_temp.state(qehs.record_transition(:'id', 'submit'));
SELECT pg_temp.as_user('max') \g /dev/null
SELECT pg_temp.state(qehs.record_reject(:'id', 'close', 'The cause is another'));
