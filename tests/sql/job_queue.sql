-- Jobs in the queue: tenants take turns within their limits, leases run out, failures are tried again later, cancels reach the worker.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('job_one', 'One'), qehs.tenant_create('job_two', 'Two');
SELECT qehs.use_tenant('job_one');
SELECT qehs.user_create('ann', 'Ann', roles => '{tenant-user}');
SELECT qehs.user_create('bob', 'Bob', roles => '{tenant-admin}');
INSERT INTO qehs.job_kind VALUES ('test', 'For tests.', true, true, 2, 'exports', 3);
CREATE FUNCTION pg_temp.queue(slug text, name text) RETURNS void LANGUAGE sql AS $$
INSERT INTO qehs.job (tenant_id, id, kind, arguments, created_at, not_before, created_by, on_behalf)
SELECT t.id, ('0190a000-0000-7000-8000-' || lpad($2, 12, '0'))::uuid, 'test', json_build_object('name', $2), qehs.clock_now(), qehs.clock_now(),
	coalesce(u.id, '00000000-0000-0000-0000-000000000000'), '{"scopes":["records.read"],"roles":["tenant-user","auditor"]}'::jsonb || jsonb_build_object('user', u.id)
FROM qehs.tenant AS t LEFT JOIN qehs.user_account AS u ON u.tenant_id = t.id AND u.user_name = 'ann' WHERE t.slug = $1;
$$;
CREATE FUNCTION pg_temp.claim(worker text) RETURNS text LANGUAGE sql AS $$
SELECT c ->> 'tenant' || ' ' || (c -> 'arguments' ->> 'name') || ', attempt ' || (c ->> 'attempts') FROM qehs.job_claim('{test}', worker) AS c;
$$;
CREATE FUNCTION pg_temp.id(name text) RETURNS text LANGUAGE sql AS $$ SELECT '0190a000-0000-7000-8000-' || lpad(name, 12, '0') $$;
CREATE VIEW pg_temp.jobs AS SELECT arguments ->> 'name' AS name, state, worker, attempts, done, total, error ->> 'code' AS error,
	extract(epoch FROM not_before - qehs.clock_now())::int AS seconds FROM qehs.job WHERE kind = 'test' ORDER BY id;
SET qehs.clock = '2026-01-01T00:00:00Z';
SELECT pg_temp.queue('job_one', n::text) FROM generate_series(1, 4) AS n;
SELECT pg_temp.queue('job_two', n::text) FROM generate_series(5, 6) AS n;
\o
\set ECHO all
-- the setting is a time, and not for everyone
SET qehs.clock = 'tomorrow';
-- in turns, though one tenant came first with more; two at once are the limit
SELECT pg_temp.claim('a');
SELECT pg_temp.claim('b');
SELECT pg_temp.claim('c');
SELECT pg_temp.claim('d');
SELECT pg_temp.claim('e');
-- the limit of a tenant is that of its class, where there is one
SELECT qehs.rate_limit_set('exports', 3);
SELECT pg_temp.claim('e');
SELECT pg_temp.claim('f');
-- who has it tells how far it is; nobody else may
SELECT qehs.job_heartbeat('job_one', pg_temp.id('1'), 'a', '10 minutes', 50, 200, '{"after":50}');
SELECT qehs.job_heartbeat('job_one', pg_temp.id('1'), 'b');
SELECT qehs.job_heartbeat('job_two', pg_temp.id('1'), 'a');
SELECT qehs.job_heartbeat('job_one', 'job_nonsense', 'a');
SELECT qehs.job_heartbeat('job_one', pg_temp.id('1'), 'a', '0');
-- a failure is tried again later, then no more
SELECT qehs.job_fail('job_one', pg_temp.id('2'), 'c', '{"code":"unavailable","detail":"no store"}');
SELECT * FROM pg_temp.jobs WHERE name = '2';
SELECT qehs.job_fail('job_two', pg_temp.id('6'), 'd', '{"code":"forbidden","detail":"no"}', retry => false);
-- a worker that dies loses its job when the lease ends, not before
SET qehs.clock = '2026-01-01T00:00:59Z';
SELECT pg_temp.claim('g');
SELECT pg_temp.claim('g');
SET qehs.clock = '2026-01-01T00:01:01Z';
SELECT pg_temp.claim('h');
SELECT qehs.job_finish('job_two', pg_temp.id('5'), 'b');
SELECT * FROM pg_temp.jobs;
-- one that comes back goes on at once
SELECT qehs.job_abandon('h');
SELECT pg_temp.claim('h');
-- lost once more, it has failed
SELECT pg_temp.claim('i');
SELECT qehs.job_abandon('i');
SELECT pg_temp.claim('i');
SELECT name, state, worker, attempts, error FROM pg_temp.jobs WHERE name = '5';
-- what a caller sees: its own, an administrator all of the tenant, others nothing
SELECT j ->> 'status' AS status, j ->> 'progress' AS progress, j ->> 'rowCount' AS rows, j ->> 'result' AS result FROM qehs.job_get(pg_temp.id('1')) AS j;
SELECT qehs.job_get(pg_temp.id('5'));
SELECT qehs.use_tenant('job_one', 'bob');
SELECT i ->> 'status' AS status, i ->> 'statusUrl' AS url FROM json_array_elements(qehs.job_list('test', page_size => 2) -> 'items') AS i;
SELECT json_array_length(qehs.job_list('test', page_size => 2, cursor => qehs.job_list('test', page_size => 2) ->> 'nextCursor') -> 'items') AS rest;
SELECT json_array_length(qehs.job_list(status => 'succeeded') -> 'items') AS succeeded;
SELECT qehs.job_list('test', 'done', 300);
SELECT qehs.job_list('test', cursor => qehs.job_list(page_size => 1) ->> 'nextCursor');
-- cancelled: at once where nobody works, else by the worker
SELECT qehs.job_cancel(pg_temp.id('1')) ->> 'status' AS status;
SELECT qehs.job_heartbeat('job_one', pg_temp.id('1'), 'a');
SELECT qehs.job_fail('job_one', pg_temp.id('1'), 'a');
SELECT qehs.job_cancel(pg_temp.id('1')) ->> 'status' AS status;
SELECT qehs.job_finish('job_one', pg_temp.id('3'), 'e', '{"sizeBytes":7}', 40);
SELECT qehs.job_cancel(pg_temp.id('3')) ->> 'status' AS status;
SELECT j ->> 'status' AS status, j ->> 'progress' AS progress, j ->> 'rowCount' AS rows, j ->> 'result' AS result FROM qehs.job_get(pg_temp.id('3')) AS j;
SELECT qehs.use_tenant('job_two');
SELECT qehs.job_cancel(pg_temp.id('3')) ->> 'status' AS status;
SELECT * FROM pg_temp.jobs;
-- the work is done with the rights of who asked, as far as they are left, and in its name
SELECT qehs.use_tenant('job_one');
SELECT pg_temp.queue('job_one', '7');
SELECT pg_temp.claim('k');
BEGIN;
SELECT qehs.job_begin('job_one', pg_temp.id('7'), 'k');
SELECT qehs.module_list();
ROLLBACK;
SELECT json_array_length(qehs.module_list() -> 'items') AS modules;
UPDATE qehs.user_account SET active = false WHERE user_name = 'ann';
SELECT qehs.job_begin('job_one', pg_temp.id('7'), 'k');
SELECT qehs.job_begin('job_one', pg_temp.id('7'), 'a');
-- given back, it is free; a kind that runs outside has no steps here
SELECT qehs.job_release('job_one', pg_temp.id('7'), 'k');
SELECT pg_temp.claim('k');
SELECT qehs.job_step('job_one', pg_temp.id('2'), 'k');
SELECT qehs.job_claim(NULL, 'k');
SELECT qehs.job_claim('{test}', NULL);
-- what has ended is kept for 7 days
SELECT qehs.job_forget(100);
SET qehs.clock = '2026-01-09T00:00:00Z';
SELECT qehs.job_forget(1);
SELECT qehs.job_forget(100);
SELECT name, state FROM pg_temp.jobs;
DELETE FROM qehs.job WHERE kind = 'test';
DELETE FROM qehs.job_kind WHERE kind = 'test';
