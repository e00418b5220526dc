-- A transaction that writes to very many chains (a DBA who loads users) does not fill the server's table of locks, and what it writes is chained.
\set tenant many_chains
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT id AS tenant_id FROM qehs.tenant WHERE slug = :'tenant' \gset
BEGIN;
INSERT INTO qehs.user_account (tenant_id, user_name, display_name) SELECT :tenant_id, 'user' || i, 'User ' || i FROM generate_series(1, 1500) AS i;
UPDATE qehs.user_account SET display_name = 'Somebody else' WHERE tenant_id = :tenant_id AND user_name = 'user1400';
SELECT count(*) AS locks_of_chains FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objsubid = 13;
SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objsubid = 17 ORDER BY mode;
COMMIT;
SELECT count(*), count(*) FILTER (WHERE e.previous IS NOT NULL) AS chained FROM qehs.audit_event AS e JOIN qehs.user_account AS u ON u.tenant_id = e.tenant_id AND u.id = e.record_id
WHERE u.tenant_id = :tenant_id AND u.user_name LIKE 'user%';
