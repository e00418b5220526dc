-- What holds for every object of the extension: each query lists what breaks a rule, or the few that may.
CREATE FUNCTION pg_temp.is_ours(class regclass, object oid) RETURNS boolean LANGUAGE sql AS
$$SELECT EXISTS (SELECT FROM pg_depend JOIN pg_extension AS e ON e.oid = refobjid WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND extname = 'qehs' AND classid = class AND objid = object)$$;
CREATE TEMP VIEW functions AS SELECT * FROM pg_proc WHERE pg_temp.is_ours('pg_proc', oid);
CREATE TEMP VIEW relations AS SELECT * FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND pg_temp.is_ours('pg_class', oid);

-- a comment each, on functions a sentence
SELECT oid::regprocedure AS without_comment FROM functions WHERE coalesce(obj_description(oid, 'pg_proc'), '') !~ '^[A-Z].*\.$';
SELECT oid::regclass AS without_comment FROM relations WHERE coalesce(obj_description(oid, 'pg_class'), '') !~ '^[A-Z].*\.$';
SELECT rolname AS without_comment FROM pg_roles WHERE rolname IN ('qehs_owner', 'qehs_shim', 'qehs_admin', 'qehs_reporter') AND shobj_description(oid, 'pg_authid') IS NULL;
-- a comment that names an error names it as QH and a status
SELECT oid::regprocedure AS bad_status FROM functions WHERE obj_description(oid, 'pg_proc') ~ 'QH(?!\d{3}|: )';

-- everything is the owner's and in the schema
SELECT oid::regprocedure AS foreign_owner FROM functions WHERE proowner <> 'qehs_owner'::regrole OR pronamespace <> 'qehs'::regnamespace;
SELECT oid::regclass AS foreign_owner FROM relations WHERE relowner <> 'qehs_owner'::regrole OR relnamespace <> 'qehs'::regnamespace;

-- the search path of what runs with the owner's rights, and of what is not written in C; whole requests pin it by themselves (request_pins_search_path)
SELECT oid::regprocedure AS path_not_pinned FROM functions
WHERE (prosecdef OR prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')) AND NOT coalesce(proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)
	AND proname NOT IN ('request', 'request_part');

-- what anyone may call or read: only the checks of JSON Schema
SELECT oid::regprocedure AS for_all FROM functions WHERE has_function_privilege('public', oid, 'EXECUTE') ORDER BY proname;
SELECT oid::regclass AS for_all FROM relations WHERE has_any_column_privilege('public', oid, 'SELECT, INSERT, UPDATE, REFERENCES') OR has_table_privilege('public', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER');
-- the shim, the DBA and the reporter read and write no table beyond that
SELECT rolname, c.oid::regclass AS reads FROM relations AS c, pg_roles
WHERE rolname IN ('qehs_shim', 'qehs_admin', 'qehs_reporter') AND relname <> 'json_schema'
	AND CASE relkind WHEN 'S' THEN has_sequence_privilege(rolname, c.oid, 'USAGE, SELECT, UPDATE')
		ELSE has_table_privilege(rolname, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER') OR has_any_column_privilege(rolname, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') END;
-- for the DBA alone
SELECT proname AS dba_only FROM functions WHERE NOT has_function_privilege('qehs_shim', oid, 'EXECUTE') ORDER BY proname;

-- arguments have names; none is overloaded; what writes is not run by parallel workers
SELECT oid::regprocedure AS unnamed FROM functions WHERE pronargs > 0 AND (proargnames IS NULL OR '' = ANY (proargnames));
SELECT proname AS overloaded FROM functions GROUP BY proname HAVING count(*) > 1;
SELECT oid::regprocedure AS volatile_in_parallel FROM functions WHERE provolatile = 'v' AND proparallel <> 'u';

-- each function of an endpoint is there, with each argument that the endpoint gives it
CREATE TEMP VIEW endpoint_functions AS
SELECT operation, role, r.function FROM qehs.endpoint AS e CROSS JOIN LATERAL (VALUES ('function', e.function), ('streamBegin', stream_begin),
	('streamEnd', stream_end)) AS r (role, function) WHERE r.function IS NOT NULL;
SELECT operation AS no_function, role FROM endpoint_functions AS e
WHERE NOT EXISTS (SELECT FROM functions AS f WHERE 'qehs.' || f.proname = e.function AND has_function_privilege('qehs_shim', f.oid, 'EXECUTE'));
SELECT operation, role, p ->> 'argument' AS no_argument FROM endpoint_functions AS r JOIN qehs.endpoint AS e USING (operation), jsonb_array_elements(parameters) AS p
	JOIN functions AS f ON true
WHERE 'qehs.' || f.proname = r.function AND (p ->> 'argument') <> ALL (f.proargnames)
	AND COALESCE(p ->> 'of' = role, role <> 'streamEnd' AND (role = 'function' OR p ->> 'in' NOT IN ('lines', 'lineNumber', 'headerLine')));

-- what belongs to a tenant is found by tenant: primary keys, unique constraints and indexes begin with it, but for that of words
SELECT i.indexrelid::regclass AS not_by_tenant FROM pg_index AS i JOIN relations AS c ON c.oid = i.indrelid
	JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attname = 'tenant_id' WHERE i.indkey[0] <> t.attnum;
SELECT k.conname AS not_by_tenant FROM pg_constraint AS k JOIN pg_attribute AS t ON t.attrelid = k.conrelid AND t.attname = 'tenant_id'
WHERE k.contype = 'f' AND pg_temp.is_ours('pg_class', k.conrelid) AND NOT t.attnum = ANY (k.conkey);
SELECT c.oid::regclass AS no_primary_key FROM relations AS c WHERE relkind = 'r' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary);

-- what pg_dump leaves out: the fixed contents of a release
SELECT oid::regclass AS not_dumped FROM relations WHERE oid <> ALL (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'qehs') ORDER BY relname;
