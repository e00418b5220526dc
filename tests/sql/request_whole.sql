-- A whole request is one statement: status, header lines, an empty line, body. What fails tells the limit all the same, and leaves nothing behind.
\set ON_ERROR_STOP off
\set VERBOSITY terse
SELECT qehs.tenant_create('whole', 'Whole') IS NOT NULL AS made;
SELECT qehs.module_install('whole', 'incidents') IS NOT NULL AS installed;
SELECT qehs.use_tenant('whole');
SELECT qehs.api_key_create('k', rate_limit => 100) ->> 'key' AS key \gset
CREATE FUNCTION pg_temp.lines(answer text) RETURNS SETOF text LANGUAGE sql AS
	$$SELECT line FROM regexp_split_to_table(split_part(answer, E'\n\n', 1), E'\n') WITH ORDINALITY AS l(line, n) WHERE line !~ '^(@|RateLimit:|X-RateLimit-Reset|Location)' ORDER BY n$$;

-- a function in C, with its defaults for what the endpoint does not have
SELECT pg_temp.lines(qehs.request(:'key', NULL, NULL, 'first', '\x01', 'record_create', '/api/v1/records', NULL::jsonb,
	'incidents'::text, '{"title":"t","severity":"low"}'::jsonb, NULL::text, NULL::text));
-- its replay, and another request under its key
SELECT qehs.request(:'key', NULL, NULL, 'first', '\x01', 'record_create', '/api/v1/records', NULL::jsonb,
	'incidents'::text, '{"title":"t","severity":"low"}'::jsonb, NULL::text, NULL::text);
SELECT qehs.request(:'key', NULL, NULL, 'first', '\x02', 'record_create', '/api/v1/records', NULL::jsonb,
	'incidents'::text, '{"title":"u","severity":"low"}'::jsonb, NULL::text, NULL::text);
-- one that fails leaves no key
SELECT qehs.request(:'key', NULL, NULL, 'second', '\x01', 'record_create', '/api/v1/records', NULL::jsonb,
	'incidents'::text, '{"severity":"low"}'::jsonb, NULL::text, NULL::text);
SELECT idempotency_key FROM qehs.idempotency WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'whole');
-- a function in SQL, without a key
SELECT split_part(split_part(qehs.request(NULL, NULL, '192.0.2.1', NULL, NULL, 'deprecation_list', '/x', NULL::jsonb), E'\n\n', 2), '"', 2) AS member;
-- what is no operation, and what is not of its types
SELECT qehs.request(:'key', NULL, NULL, NULL, NULL, 'nothing', '/x', NULL::jsonb);
SELECT qehs.request(:'key', NULL, NULL, NULL, NULL, 'record_get', '/x', NULL::jsonb, 1::int4);
SELECT qehs.request(:'key', NULL, NULL, NULL, NULL, 'record_get', '/x', NULL::jsonb);
SELECT qehs.request(:'key', NULL, NULL, NULL, NULL, 'record_get', '/x', 'text'::text, 'rec_1'::text);
-- a lock is waited for a third of the time limit, until the transaction ends
UPDATE qehs.endpoint SET time_limit = 300 WHERE operation = 'record_list';
BEGIN;
SELECT qehs.request_begin(:'key', operation => 'record_list') IS NOT NULL AS begun;
SHOW lock_timeout;
ROLLBACK;
SHOW lock_timeout;
UPDATE qehs.endpoint SET time_limit = 10000 WHERE operation = 'record_list';
