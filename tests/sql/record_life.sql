-- A record from creation through its workflow to deletion and back.
\set VERBOSITY terse
\set tenant life
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-11-20T08:30:00Z';
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT r ->> 'displayCode' LIKE 'INC-____-0001' AS code, r ->> 'workflowState' AS state, r -> 'payload' AS payload,
	r -> 'version' AS version, r ->> 'id' AS id
FROM (SELECT qehs.record_create('incidents', '{"title":"Slip","severity":"low","badge":"B1","risk":{"likelihood":4,"severity":5}}')::jsonb AS r) AS made \gset
SELECT :'code' AS code, :'state' AS state, :'payload' AS payload, :'version' AS version;
SELECT qehs.record_update(:'id', '{"email":"a@example.com","risk":null}')::jsonb - '{id,displayCode,createdAt,updatedAt}'::text[] AS updated;
SELECT qehs.record_update(:'id', '{"email":"a@example.com"}')::jsonb -> 'version' AS unchanged_version;
SELECT qehs.record_update(:'id', '{"title":"Fall"}', if_match => '"1"');
SELECT qehs.record_transition(:'id', 'close');
SELECT qehs.record_transition(:'id', 'submit');
SELECT qehs.record_transition(:'id', 'submit', '{"cost":12.5}')::jsonb ->> 'workflowState' AS state;
SELECT qehs.record_transition(:'id', 'close', comment => 'done');
SELECT qehs.record_transition(:'id', 'close', '{"rca_text":"wet floor"}');
SELECT qehs.record_transition(:'id', 'close', '{"rca_text":"wet floor"}', 'done')::jsonb ->> 'workflowState' AS state;
SELECT qehs.record_transition(:'id', 'nowhere');
SELECT qehs.record_create('incidents', '{"title":"Twin","severity":"low","badge":"B1"}');
SELECT jsonb_path_query_array(qehs.record_get(:'id')::jsonb, '$.activity[*].type') AS activity,
	qehs.record_get(:'id')::jsonb -> 'availableTransitions' AS available;
SELECT qehs.record_delete(:'id') IS NULL AS deleted;
SELECT qehs.record_delete(:'id');
SELECT qehs.record_get(:'id');
SELECT changes -> 'payload' AS last_payload FROM qehs.audit_event WHERE action = 'deleted' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = :'tenant');
SELECT qehs.record_restore(:'id')::jsonb -> 'deletedAt' AS restored;
SELECT qehs.record_restore(:'id');
-- another tenant, a malformed and a missing id give the same answer
SELECT qehs.tenant_create('other', 'Other')::jsonb ->> 'slug' AS tenant;
SELECT qehs.use_tenant('other');
SELECT qehs.record_get(:'id');
SELECT qehs.record_get('nonsense');
SELECT qehs.record_get('rec_00000000000000000000000000');
