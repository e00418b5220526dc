-- qehs: the install script. Built from sql/NN_*.sql and sql/modules/*.json; do not load by hand.
\echo Use "CREATE EXTENSION qehs" to load this file. \quit

DO $roles$
DECLARE
	role_name text;
	fault text;
BEGIN
	IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = 'qehs needs a database with encoding UTF8',
			HINT = 'Create the database with ENCODING ''UTF8'' TEMPLATE template0.';
	END IF;
	FOREACH role_name IN ARRAY ARRAY['qehs_owner', 'qehs_shim', 'qehs_admin', 'qehs_reporter'] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
			CONTINUE;
		END IF;
		-- another database of the cluster may have made it; or somebody who wants to own what is installed here
		SELECT CASE
			WHEN r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
				THEN 'it has SUPERUSER, CREATEROLE, CREATEDB, REPLICATION or BYPASSRLS'
			WHEN r.rolcanlogin AND role_name <> 'qehs_shim' THEN 'it can log in'
			WHEN EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m WHERE m.member = r.oid) THEN 'it is a member of another role'
			WHEN EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = m.grantor
				WHERE m.roleid = r.oid AND (role_name = 'qehs_owner' OR m.admin_option OR g.rolsuper IS NOT TRUE))
				THEN 'it has members that no superuser gave it'
			END INTO fault FROM pg_catalog.pg_roles AS r WHERE r.rolname = role_name;
		IF fault IS NOT NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_role_specification',
				MESSAGE = pg_catalog.format('role "%s" exists already, and not as qehs makes it', role_name),
				DETAIL = pg_catalog.format('Of the role: %s.', fault),
				HINT = 'Find out who made it. Then change or drop it, and create the extension again.';
		END IF;
	END LOOP;
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'qehs') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = 'schema "qehs" exists already',
			DETAIL = 'The extension makes its schema itself, since whoever owns a schema can drop all that is in it.',
			HINT = 'Drop it, or give it another name.';
	END IF;
	-- parameters hold API keys and payloads; a log that has them anyway is redacted by the library once a session has loaded it
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting WHERE setrole = 'qehs_shim'::pg_catalog.regrole AND setdatabase = 0) THEN
		ALTER ROLE qehs_shim SET log_parameter_max_length = 0;
		ALTER ROLE qehs_shim SET log_parameter_max_length_on_error = 0;
		-- that of all that runs with the owner's rights, so that nobody sets and resets it for each request
		ALTER ROLE qehs_shim SET search_path = pg_catalog, pg_temp;
	END IF;
END
$roles$;

CREATE SCHEMA qehs;
ALTER SCHEMA qehs OWNER TO qehs_owner;
GRANT USAGE ON SCHEMA qehs TO qehs_shim, qehs_admin, qehs_reporter;
COMMENT ON SCHEMA qehs IS 'Tables and functions of the extension qehs.';
COMMENT ON ROLE qehs_owner IS 'Owns all objects of the extension qehs; never logs in.';
COMMENT ON ROLE qehs_shim IS 'What qehs-shim logs in as: may call the API functions of qehs, and read no table.';
COMMENT ON ROLE qehs_admin IS 'For DBAs: may also call the functions of qehs that make tenants, modules and users.';
COMMENT ON ROLE qehs_reporter IS 'Base of reporting logins of qehs.';
