-- What a session has cached of one tenant stays when another tenant changes, goes when its own does, and is bounded in bytes.
\set VERBOSITY terse
\set QUIET on
\o /dev/null
SELECT qehs.tenant_create('cache_a', 'A');
SELECT qehs.tenant_create('cache_b', 'B');
SELECT qehs.module_install('cache_a', 'observations');
SELECT qehs.module_install('cache_b', 'observations');
SELECT qehs.use_tenant('cache_b');
SELECT qehs.user_create('bea', 'Bea');
\o
SELECT qehs.api_key_create('b', acting_user => 'bea', rate_limit => 0) ->> 'key' AS key \gset
-- whose child a context is: column parent up to PostgreSQL 17, column path since 18
CREATE FUNCTION pg_temp.contexts() RETURNS TABLE (name text, parent text, total_bytes bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE CASE WHEN current_setting('server_version_num')::int < 180000 THEN
		'SELECT name, parent, total_bytes FROM pg_backend_memory_contexts' ELSE
		'WITH every AS MATERIALIZED (SELECT * FROM pg_backend_memory_contexts) SELECT c.name, p.name, c.total_bytes
			FROM every AS c LEFT JOIN every AS p ON p.path = c.path[:array_length(c.path, 1) - 1]' END;
END $$;
CREATE VIEW cached AS SELECT ident, count(*) FROM pg_backend_memory_contexts WHERE name = 'qehs cached' GROUP BY ident;
CREATE FUNCTION pg_temp.who(key text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM qehs.request_begin(key);
	RETURN qehs.record_create('observations', '{"kind":"positive","occurred_at":"2026-01-01T00:00:00Z","site":"S","description":"d","category":"ppe","potential_risk":{"likelihood":1,"severity":1}}') #>> '{createdBy,displayName}';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;
SELECT pg_temp.who(:'key');

-- a change that nobody hears of shows that the cache is used
ALTER TABLE qehs.user_account DISABLE TRIGGER announce;
UPDATE qehs.user_account SET display_name = 'Unheard' WHERE user_name = 'bea';
ALTER TABLE qehs.user_account ENABLE ALWAYS TRIGGER announce;
SELECT pg_temp.who(:'key') AS cached;
-- also after another tenant has a new user, key and module
SELECT qehs.use_tenant('cache_a');
SELECT qehs.user_create('cara', 'Cara') IS NOT NULL AND qehs.api_key_create('a') IS NOT NULL AND EXISTS (SELECT FROM qehs.module_install('cache_a', 'actions')) AS others_change;
SELECT pg_temp.who(:'key') AS cached_still;
SELECT qehs.use_tenant('cache_b');
SELECT qehs.user_create('bob', 'Bob') IS NOT NULL AS own_change;
SELECT pg_temp.who(:'key') AS read_anew;

-- a change that is taken back
BEGIN;
UPDATE qehs.user_account SET display_name = 'For a moment' WHERE user_name = 'bea';
SELECT pg_temp.who(:'key');
ROLLBACK;
SELECT pg_temp.who(:'key') AS taken_back;

-- whoever makes the change, however
SET session_replication_role = replica;
UPDATE qehs.api_key SET revoked_at = now() WHERE name = 'b';
SELECT pg_temp.who(:'key') AS revoked_as_replica;
UPDATE qehs.api_key SET revoked_at = NULL WHERE name = 'b';
RESET session_replication_role;
SELECT pg_temp.who(:'key') AS given_back;
BEGIN;
TRUNCATE qehs.api_key;
SELECT pg_temp.who(:'key') AS truncated;
ROLLBACK;
SELECT pg_temp.who(:'key') AS not_truncated;
BEGIN;
DELETE FROM qehs.api_key WHERE name = 'b';
SELECT pg_temp.who(:'key') AS deleted;
ROLLBACK;

-- a version is compiled once, whether it is asked for by key, by number, or as the current one of a record
SELECT (qehs.record_list('observations') #>> '{items,0,id}') AS record \gset
SELECT qehs.record_get(:'record') IS NOT NULL AND qehs.record_delete(:'record') IS NULL AS used;
SELECT * FROM cached WHERE ident = 'module version';

-- with little room the ones used last stay
SELECT count(*) AS modules FROM qehs.module_install('cache_b', VARIADIC ARRAY(SELECT key FROM qehs.module_catalogue WHERE key <> 'observations'));
SELECT count(qehs.record_list(key)) AS lists FROM qehs.module_catalogue, generate_series(1, 2);
SELECT * FROM cached WHERE ident = 'module version';
SET qehs.cache_size = '200kB';
SELECT count(qehs.record_list(key)) AS lists FROM qehs.module_catalogue, generate_series(1, 2);
SELECT qehs.use_tenant('cache_a');
SELECT qehs.record_list('actions') IS NOT NULL AS one_more;
SELECT sum(total_bytes) <= 200 * 1024 AS within FROM pg_temp.contexts() WHERE name = 'qehs cached' OR parent = 'qehs cached';
SELECT ident, count BETWEEN 1 AND 4 AS some FROM cached WHERE ident = 'module version';
SELECT count(*) AS retired FROM pg_temp.contexts() WHERE parent = 'qehs retired';

-- a definition that does not load leaves nothing behind, however often it is asked for
RESET qehs.cache_size;
CREATE TEMP TABLE saved AS SELECT * FROM qehs.module_version WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'cache_a');
SET session_replication_role = replica;
UPDATE qehs.module_version SET json_schema = '{"type":5}' WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'cache_a');
RESET session_replication_role;
CREATE TEMP TABLE memory AS SELECT count(*) AS contexts, sum(total_bytes) AS bytes FROM pg_backend_memory_contexts WHERE name LIKE 'qehs%';
DO $$
BEGIN
	FOR i IN 1 .. 500 LOOP
		BEGIN
			PERFORM qehs.record_list('actions');
			RAISE 'loaded';
		EXCEPTION WHEN data_corrupted THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT count(*) <= m.contexts AS no_more_contexts, sum(total_bytes) <= m.bytes AS no_more_memory FROM memory AS m, pg_backend_memory_contexts WHERE name LIKE 'qehs%' GROUP BY m.contexts, m.bytes;
SET session_replication_role = replica;
UPDATE qehs.module_version AS v SET json_schema = s.json_schema FROM saved AS s WHERE v.tenant_id = s.tenant_id AND v.module_id = s.module_id AND v.version = s.version;
RESET session_replication_role;
SELECT qehs.record_list('actions') IS NOT NULL AS mended;

-- the triggers that announce fire for every role of a session, on rows as on TRUNCATE
SELECT c.relname, string_agg(format('%s %s', tgname, tgenabled), ', ' ORDER BY tgname) AS triggers FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid
WHERE tgfoid = 'qehs.table_changed'::regproc GROUP BY 1 ORDER BY 1;
