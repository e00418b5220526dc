-- Nobody changes or removes an audit event: not the owner, not a superuser by oversight.
\set VERBOSITY terse
\set tenant append_only
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT qehs.record_create('incidents', '{"title":"t","severity":"low"}') IS NOT NULL AS made;
UPDATE qehs.audit_event SET comment = 'x';
DELETE FROM qehs.audit_event;
TRUNCATE qehs.audit_event;
SELECT has_table_privilege('qehs_owner', 'qehs.audit_event', 'INSERT') AS inserts,
	has_table_privilege('qehs_owner', 'qehs.audit_event', 'UPDATE') OR has_any_column_privilege('qehs_owner', 'qehs.audit_event', 'UPDATE') AS updates,
	has_table_privilege('qehs_owner', 'qehs.audit_event', 'DELETE') AS deletes,
	has_table_privilege('qehs_owner', 'qehs.audit_event', 'TRUNCATE') AS truncates;
-- the order of ids is the order of time, to the millisecond
SELECT bool_and(abs(extract(epoch FROM at) * 1000 - ('x' || replace(left(e.id::text, 13), '-', ''))::bit(48)::bigint) < 60000) AS id_tells_time
FROM qehs.audit_event AS e JOIN qehs.tenant AS t ON t.id = tenant_id WHERE slug = 'append_only';
