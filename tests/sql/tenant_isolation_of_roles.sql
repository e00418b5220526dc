-- The shim's role can call API functions and read no table; DBA functions are not for it.
\set VERBOSITY terse
SET ROLE qehs_shim;
SELECT count(*) FROM qehs.record;
SELECT qehs.use_tenant('acme');
SELECT qehs.tenant_create('x', 'x');
SELECT qehs.api_key_list();
RESET ROLE;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'qehs'::regnamespace AND prosecdef
	AND proname NOT IN ('request', 'request_part') AND (proconfig IS NULL OR NOT 'search_path=pg_catalog, pg_temp' = ANY (proconfig));
SELECT p.oid::regprocedure AS without_comment FROM pg_proc AS p
	WHERE pronamespace = 'qehs'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
