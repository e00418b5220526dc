-- qehs: the install script. Built from sql/NN_*.sql and sql/modules/*.json; do not load by hand.
\echo Use "CREATE EXTENSION qehs" to load this file. \quit

DO $roles$
DECLARE
	role_name text;
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
		END IF;
	END LOOP;
	-- parameters hold API keys and payloads; a log that has them anyway is redacted by the library once a session has loaded it
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting WHERE setrole = 'qehs_shim'::pg_catalog.regrole AND setdatabase = 0) THEN
		ALTER ROLE qehs_shim SET log_parameter_max_length = 0;
		ALTER ROLE qehs_shim SET log_parameter_max_length_on_error = 0;
	END IF;
END
$roles$;

GRANT USAGE ON SCHEMA qehs TO qehs_owner, qehs_shim, qehs_admin, qehs_reporter;
COMMENT ON ROLE qehs_owner IS 'Owns all objects of the extension qehs; never logs in.';
COMMENT ON ROLE qehs_shim IS 'What qehs-shim logs in as: may call the API functions of qehs, and read no table.';
COMMENT ON ROLE qehs_admin IS 'For DBAs: may also call the functions of qehs that make tenants, modules and users.';
COMMENT ON ROLE qehs_reporter IS 'Base of reporting logins of qehs.';
