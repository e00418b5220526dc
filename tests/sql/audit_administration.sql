-- Users, roles, keys and definitions have events as well, with who did it and each member's old and new value; what somebody writes by
-- SQL past the functions has one that names the login role.
\set VERBOSITY terse
\set tenant administration
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
SET client_min_messages = warning;
CREATE VIEW told AS SELECT e ->> 'type' AS type, e #>> '{actor,displayName}' AS actor, e ->> 'reason' AS reason, e ->> 'recordId' IS NOT NULL AS record, regexp_replace(left(e ->> 'subjectId', 4), '^[0-9a-f]+$', 'uuid') AS subject,
	(SELECT string_agg(concat_ws(' ', c ->> 'path', CASE WHEN c ->> 'path' !~ '(prefix|[iI]d|Sha256|At)$' THEN coalesce(c ->> 'from', '-') || ' > ' || coalesce(c ->> 'to', '-') END), ', ')
		FROM json_array_elements(e -> 'changes') AS c) AS changes, n
FROM json_array_elements(qehs.audit_list(page_size => 100) -> 'items') WITH ORDINALITY AS l (e, n);
\set ECHO all
SELECT qehs.user_create('anna', 'Anna', 'anna@example.com', '{tenant-user}') IS NOT NULL AS made;
SELECT qehs.user_deactivate('anna') ->> 'active' AS active;
SELECT qehs.api_key_create('reports', '{records.read}', '{viewer}') ->> 'id' AS key \gset
SELECT qehs.api_key_revoke(:'key') IS NULL AS revoked;
SELECT type, actor, reason, record, subject, changes FROM told ORDER BY n DESC;
SELECT max(n) AS before FROM told \gset
-- no hash of a key is in an event
SELECT count(*) FROM qehs.audit_event AS e JOIN qehs.api_key AS k ON e.changes::text LIKE '%' || encode(k.hash, 'hex') || '%';
-- a DBA past the functions
SELECT qehs.record_create('incidents', '{"title":"t","severity":"low","cost":5}') ->> 'id' AS id \gset
UPDATE qehs.record SET payload = (payload - 'cost') || '{"severity":"high"}', workflow_state = 'closed' WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'administration');
UPDATE qehs.record SET created_by = '01900000-0000-7000-8000-000000000001' WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'administration');
UPDATE qehs.api_key SET revoked_at = NULL WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'administration');
UPDATE qehs.user_account SET active = true WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'administration');
DELETE FROM qehs.role_member WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'administration');
DELETE FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'administration');
SELECT type, actor, reason, record, subject, changes FROM told WHERE n <= (SELECT max(n) FROM told) - :before ORDER BY n DESC;
SELECT e ->> 'type' AS type, e -> 'payload' AS last_payload FROM json_array_elements(qehs.audit_list(record_id => :'id') -> 'items') AS e LIMIT 1;
-- a restore writes none: the events are in the dump
SELECT count(*) AS before FROM qehs.audit_event \gset
SET row_security = off;
SET check_function_bodies = off;
UPDATE qehs.user_account SET active = NOT active WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'administration');
SELECT count(*) - :before AS written FROM qehs.audit_event;
RESET row_security;
RESET check_function_bodies;
SELECT qehs.audit_seal('administration') IS NOT NULL AS sealed;
SELECT qehs.audit_verify('administration') -> 'fault' AS fault;
DROP VIEW told;
