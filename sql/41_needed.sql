-- What rows refer to is not deleted under them, whoever asks; only the functions write rows that refer to others, and they look.

CREATE FUNCTION qehs.is_needed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $needed$
DECLARE
	old_row jsonb := to_jsonb(OLD);
	tenant int4 := coalesce(old_row ->> 'tenant_id', old_row ->> 'id');
	found boolean;
BEGIN
	IF qehs.tenant_remove_runs() THEN
		RETURN OLD;
	END IF;
	FOR i IN 0 .. TG_NARGS - 1 BY 2 LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM qehs.%I WHERE tenant_id = $1 AND %I::text = $2)', TG_ARGV[i], TG_ARGV[i + 1])
			INTO found USING tenant, old_row ->> 'id';
		IF found THEN
			RAISE EXCEPTION 'rows of qehs.% still refer to this row of qehs.%', TG_ARGV[i], TG_TABLE_NAME
				USING ERRCODE = 'foreign_key_violation', HINT = 'A tenant goes as a whole with qehs.tenant_remove; a user is deactivated with qehs.user_deactivate.';
		END IF;
	END LOOP;
	RETURN OLD;
END
$needed$;
COMMENT ON FUNCTION qehs.is_needed() IS 'Trigger of tables that others refer to, in place of foreign keys: refuses to delete a row while a row of one of the tables that its arguments name, each with the column that refers, has its id.';

CREATE TRIGGER needed BEFORE DELETE ON qehs.tenant FOR EACH ROW EXECUTE FUNCTION
	qehs.is_needed('user_account', 'tenant_id', 'role', 'tenant_id', 'api_key', 'tenant_id', 'module', 'tenant_id', 'record', 'tenant_id');
CREATE TRIGGER needed BEFORE DELETE ON qehs.user_account FOR EACH ROW EXECUTE FUNCTION qehs.is_needed('role_member', 'user_id', 'api_key', 'user_id');
CREATE TRIGGER needed BEFORE DELETE ON qehs.role FOR EACH ROW EXECUTE FUNCTION qehs.is_needed('role_member', 'role_id', 'scim_group_role', 'group_id', 'scim_group_role', 'role_id', 'scim_unresolved_member', 'role_id');
CREATE TRIGGER needed BEFORE DELETE ON qehs.module FOR EACH ROW EXECUTE FUNCTION qehs.is_needed('module_version', 'module_id', 'record', 'module_id');
