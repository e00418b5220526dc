-- What backends cache is read anew after a change, whoever makes it: a function here, SCIM or a DBA's UPDATE. last_used_at of
-- api_key is left out, since nothing that is cached depends on it.

CREATE FUNCTION qehs.table_changed() RETURNS trigger AS 'MODULE_PATHNAME', 'qehs_table_changed'
LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.table_changed() IS 'Trigger of tables that sessions cache: makes all of them read the table that its argument names again, from their next request, when the transaction commits.';

CREATE TRIGGER announce AFTER DELETE OR UPDATE OF tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit, expires_at,
	revoked_at, allowed_addresses ON qehs.api_key FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('api_key');
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON qehs.user_account FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('api_key');
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON qehs.role_member FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('api_key');
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON qehs.rate_limit FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('api_key');
CREATE TRIGGER announce AFTER UPDATE OR DELETE ON qehs.tenant FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('api_key');
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON qehs.secret FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('secret');
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON qehs.endpoint FOR EACH STATEMENT EXECUTE FUNCTION qehs.table_changed('endpoint');
