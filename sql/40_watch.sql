-- What backends cache is read anew after a change, whoever makes it: a function here, SCIM, a DBA's UPDATE or TRUNCATE, a session
-- with session_replication_role = replica, or logical replication. The triggers fire always and on rows, since the worker that
-- applies changes of a publisher fires no others. last_used_at of api_key is left out: nothing that is cached depends on it.

CREATE FUNCTION qehs.table_changed() RETURNS trigger AS 'MODULE_PATHNAME', 'qehs_table_changed'
LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.table_changed() IS 'Trigger of tables that sessions cache: makes all of them read anew, from their next transaction, what they cached under the name that is the first argument, when the transaction commits. On rows the second argument names the column of the tenant whose data changed; without it, and on TRUNCATE, the data of all tenants is read anew.';

DO $watch$
DECLARE
	watched record;
BEGIN
	FOR watched IN
		SELECT * FROM (VALUES
			('api_key', $$'identity', 'tenant_id'$$, 'INSERT OR DELETE OR UPDATE OF tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit, expires_at, revoked_at, allowed_addresses'),
			('user_account', $$'identity', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('role', $$'identity', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('role_member', $$'identity', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('scim_group_role', $$'identity', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('scim_schema', $$'endpoint'$$, 'INSERT OR UPDATE OR DELETE'),
			('scim_attribute', $$'endpoint'$$, 'INSERT OR UPDATE OR DELETE'),
			('scim_resource_type', $$'endpoint'$$, 'INSERT OR UPDATE OR DELETE'),
			('rate_limit', $$'identity', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('tenant', $$'identity', 'id'$$, 'UPDATE OR DELETE'),
			('module', $$'module', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('module_version', $$'module', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('location', $$'location', 'tenant_id'$$, 'INSERT OR UPDATE OR DELETE'),
			('endpoint', $$'endpoint'$$, 'INSERT OR UPDATE OR DELETE'),
			('secret', $$'secret'$$, 'INSERT OR UPDATE OR DELETE'),
			('json_schema', $$'json_schema'$$, 'INSERT OR UPDATE OR DELETE')
		) AS t (name, arguments, events)
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER announce AFTER %s ON qehs.%I FOR EACH ROW EXECUTE FUNCTION qehs.table_changed(%s)',
			watched.events, watched.name, watched.arguments);
		EXECUTE pg_catalog.format('CREATE TRIGGER announce_truncate AFTER TRUNCATE ON qehs.%I FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed(%s)',
			watched.name, watched.arguments);
		EXECUTE pg_catalog.format('ALTER TABLE qehs.%1$I ENABLE ALWAYS TRIGGER announce, ENABLE ALWAYS TRIGGER announce_truncate', watched.name);
	END LOOP;
END
$watch$;

-- What GraphQL tells of a tenant's definitions is cached with them.
CREATE TRIGGER announce_introspection AFTER UPDATE OF graphql_introspection ON qehs.tenant
	FOR EACH ROW EXECUTE FUNCTION qehs.table_changed('module', 'id');
ALTER TABLE qehs.tenant ENABLE ALWAYS TRIGGER announce_introspection;

-- So is whether a tenant has a legal hold.
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON qehs.legal_hold FOR EACH ROW EXECUTE FUNCTION qehs.table_changed('module', 'tenant_id');
CREATE TRIGGER announce_truncate AFTER TRUNCATE ON qehs.legal_hold FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('module', 'tenant_id');
ALTER TABLE qehs.legal_hold ENABLE ALWAYS TRIGGER announce, ENABLE ALWAYS TRIGGER announce_truncate;
