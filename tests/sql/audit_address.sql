-- An audit event keeps the address that its request came from; a session has none.
\set VERBOSITY terse
\set tenant audit_address
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
SELECT qehs.api_key_create('x') ->> 'key' AS key \gset
\set ECHO all
SELECT qehs.record_create('incidents', '{"title":"session","severity":"low"}') IS NOT NULL AS made;
BEGIN;
SELECT qehs.request_begin(:'key', client_address => '203.0.113.9') IS NOT NULL AS begun;
SELECT qehs.record_create('incidents', '{"title":"one","severity":"low"}') ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', '{"severity":"high"}') IS NOT NULL AS changed;
COMMIT;
BEGIN;
SELECT qehs.request_begin(:'key', client_address => '2001:db8::7') IS NOT NULL AS begun;
SELECT qehs.record_delete(:'id') IS NULL AS deleted;
COMMIT;
SELECT action, address FROM qehs.audit_event AS e JOIN qehs.tenant AS t ON t.id = e.tenant_id WHERE slug = 'audit_address' AND module_id <> 0 ORDER BY e.id;
