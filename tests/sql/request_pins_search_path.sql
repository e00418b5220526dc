-- A whole request finds functions and operators in pg_catalog, whatever the session's search_path, and leaves that as it was.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('paths', 'A tenant');
SELECT qehs.module_install('paths', 'incidents');
SELECT qehs.use_tenant('paths');
SELECT qehs.api_key_create('k', rate_limit => 0) ->> 'key' AS key \gset
SELECT qehs.record_create('incidents', '{"title":"slip","severity":"low"}')::jsonb ->> 'id' AS id \gset
-- one's own functions and operators, in front of those of pg_catalog
CREATE SCHEMA paths;
GRANT USAGE ON SCHEMA paths TO PUBLIC;
CREATE FUNCTION paths.hostile(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'a hostile operator was called as %', current_user; END $$;
CREATE FUNCTION paths.hostile(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'a hostile operator was called as %', current_user; END $$;
CREATE FUNCTION paths.hostile(int4, int4) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'a hostile operator was called as %', current_user; END $$;
CREATE OPERATOR paths.= (FUNCTION = paths.hostile, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR paths.= (FUNCTION = paths.hostile, LEFTARG = uuid, RIGHTARG = uuid);
CREATE OPERATOR paths.= (FUNCTION = paths.hostile, LEFTARG = int4, RIGHTARG = int4);
\c -
\o
\set ECHO all
\set VERBOSITY terse
SET search_path = paths, pg_catalog;
-- a new session, so that every statement is parsed under this path
SELECT split_part(qehs.request(:'key', NULL, NULL, NULL, NULL, 'record_get', '/x', NULL::jsonb, :'id'::text), E'\n', 1) AS status;
SELECT split_part(qehs.request(:'key', NULL, NULL, NULL, NULL, 'graphql', '/x', NULL::jsonb,
	'{ incidentsList(filter: {title: {eq: "slip"}}) { title createdBy { displayName } } }'::text, NULL::jsonb, NULL::text, NULL::jsonb, NULL::text), E'\n\n', 2) AS body;
SHOW search_path;
-- also after one that fails, which PostgreSQL undoes
SELECT qehs.request(:'key', NULL, NULL, NULL, NULL, 'record_get', '/x', NULL::jsonb, 'rec_1'::text);
SHOW search_path;
DO $$ BEGIN PERFORM qehs.request('none', NULL, NULL, NULL, NULL, 'record_get', '/x', NULL::jsonb, 'rec_1'::text); EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, current_setting('search_path'); END $$;
RESET search_path;
-- the shim's role has the path from the beginning, so that nothing is to be set
SELECT setting FROM pg_db_role_setting, unnest(setconfig) AS setting WHERE setrole = 'qehs_shim'::regrole AND setdatabase = 0 AND setting LIKE 'search_path%';
DROP SCHEMA paths CASCADE;
