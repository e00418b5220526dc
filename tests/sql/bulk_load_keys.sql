-- A batch key belongs to the API key of its request; what a chunk did goes with its transaction.
\set VERBOSITY terse
\set tenant bulkkeys
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT qehs.api_key_create('one')::jsonb ->> 'key' AS one, qehs.api_key_create('two')::jsonb ->> 'key' AS two,
	qehs.api_key_create('reader', scopes => '{records.read}')::jsonb ->> 'key' AS reader,
	qehs.api_key_create('elsewhere', modules => '{other}')::jsonb ->> 'key' AS elsewhere \gset
SET ROLE qehs_shim;
\set load 'SELECT (line::jsonb -> ''status'')::text AS status FROM string_to_table(qehs.bulk_load(''incidents'', ''{"title":"a","severity":"low"}'', 1, ''batch''), E''\\n'') AS line WHERE line <> '''';'
BEGIN;
SELECT qehs.request_begin(:'one', repeat('a1', 16), operation => 'record_create') <> '' AS begun;
:load
ROLLBACK;
-- rolled back: nothing is known of it
BEGIN;
SELECT qehs.request_begin(:'one', repeat('a1', 16), operation => 'record_create') <> '' AS begun;
:load
SELECT qehs.request_end();
COMMIT;
BEGIN;
SELECT qehs.request_begin(:'one', operation => 'record_create') <> '' AS begun;
:load
COMMIT;
BEGIN;
SELECT qehs.request_begin(:'two', operation => 'record_create') <> '' AS begun;
:load
COMMIT;
BEGIN;
SELECT qehs.request_begin(:'reader', operation => 'record_create') <> '' AS begun;
:load
ROLLBACK;
BEGIN;
SELECT qehs.request_begin(:'elsewhere', operation => 'record_create') <> '' AS begun;
:load
ROLLBACK;
-- without a request
RESET ROLE;
SELECT qehs.use_tenant('bulkkeys');
SELECT k.name, count(*) FROM qehs.idempotency AS i JOIN qehs.api_key AS k ON k.id = i.key_id WHERE i.idempotency_key = 'batch#1' GROUP BY 1 ORDER BY 1;
SELECT count(*) AS records, count(trace_id) AS traced, min(trace_id) AS trace_id FROM qehs.record AS r JOIN qehs.audit_event AS e ON e.record_id = r.id
WHERE r.tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulkkeys');
SELECT qehs.record_get(id::text)::jsonb #>> '{createdBy,displayName}' AS created_by, count(*) FROM qehs.record
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulkkeys') GROUP BY 1 ORDER BY 1;
-- a line leaves no more than its key, a hash and its record's id, and the call nothing
SELECT count(*) FILTER (WHERE idempotency_key NOT LIKE '%#%' AND body NOT LIKE 'rec\_%') AS of_calls, max(length(headers)) AS headers, max(length(body)) AS body,
	max(octet_length(fingerprint)) AS fingerprint
FROM qehs.idempotency WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulkkeys');
\c -
SELECT qehs.bulk_load('incidents', '');
SELECT qehs.bulk_begin('incidents');
SELECT qehs.bulk_end();
