-- A replay gives the stored answer; the same key with another request is refused; another API key does not replay.
\set VERBOSITY terse
SELECT qehs.tenant_create('idem', 'Idem')::jsonb - 'createdAt' - 'id' AS tenant;
SELECT qehs.use_tenant('idem');
SELECT qehs.api_key_create('one')::jsonb ->> 'key' AS one, qehs.api_key_create('two')::jsonb ->> 'key' AS two \gset
BEGIN;
SELECT qehs.request_begin(:'one', NULL, NULL, 'k1', '\x01', 'record_create') LIKE 'X-RateLimit-Limit: 300%' AS limited;
SELECT qehs.request_end();
COMMIT;
SELECT qehs.request_begin(:'one', NULL, NULL, 'k1', '\x01', 'record_create');
SELECT qehs.request_begin(:'one', NULL, NULL, 'k1', '\x02', 'record_create');
BEGIN;
SELECT qehs.request_begin(:'two', NULL, NULL, 'k1', '\x01', 'record_create') <> '' AS begun;
SELECT qehs.request_end();
ROLLBACK;
-- what was rolled back leaves no key behind
SELECT count(*) FROM qehs.idempotency WHERE idempotency_key = 'k1';
