-- Everything belongs to qehs_owner. API functions (SECURITY DEFINER) are for the shim and the DBA; a few, and the
-- helpers, are for the DBA alone. Only the checks of JSON Schema, which read no table of the product, are for anyone.
GRANT USAGE ON SCHEMA qehs TO PUBLIC;

DO $grants$
DECLARE
	found record;
BEGIN
	FOR found IN
		SELECT c.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace = 'qehs'::pg_catalog.regnamespace AND c.relkind = 'r'
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE %s OWNER TO qehs_owner', found.name);
	END LOOP;
	FOR found IN
		SELECT p.oid::pg_catalog.regprocedure AS name, p.prosecdef,
			p.proname = ANY ('{tenant_create,tenant_list,tenant_suspend,tenant_resume,tenant_export,tenant_remove,use_tenant,user_create,user_list,user_deactivate,user_activate,module_install,module_merge,module_refill,jsonschema_register,tick_note,job_work,timer_run,job_forget,secret_rotate,rate_limit_set,rate_limit_list,signature_failed,graphql_introspection_set,audit_seal,audit_seal_due,audit_verify,storage_quota_set,attachment_collect,job_release_input,retention_due}') AS for_dba,
			p.proname = ANY ('{jsonschema_is_valid,jsonschema_errors,jsonschema_check}') AS for_all
		FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'qehs'::pg_catalog.regnamespace
	LOOP
		EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO qehs_owner', found.name);
		CONTINUE WHEN found.for_all;
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', found.name);
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO qehs_admin', found.name);
		IF found.prosecdef AND NOT found.for_dba THEN
			EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO qehs_shim', found.name);
		END IF;
	END LOOP;
END
$grants$;

-- not even what runs with the owner's rights changes what happened
REVOKE UPDATE, DELETE, TRUNCATE ON qehs.audit_event, qehs.audit_seal, qehs.audit_tombstone, qehs.record_tombstone FROM qehs_owner;

-- what the views of reports call, as whoever reads them; who may read them is for the DBA to say
GRANT EXECUTE ON FUNCTION qehs.report_reads, qehs.report_modules, qehs.report_name, qehs.report_label, qehs.display_code, qehs.id_uuid, qehs.utc_day, qehs.payload_text, qehs.payload_number,
	qehs.payload_time, qehs.payload_list TO qehs_reporter;
REVOKE EXECUTE ON FUNCTION qehs.report_publish, qehs.reporter_keep, qehs.reporter_revoke, qehs.catalogue FROM qehs_shim;

-- report_publish makes a schema for each tenant that reports
DO $create$
BEGIN
	EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO qehs_owner', pg_catalog.current_database());
END
$create$;
