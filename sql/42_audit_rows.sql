-- Events of what is no record (users, roles, keys, definitions), and of rows that somebody writes by SQL past the functions.

CREATE FUNCTION qehs.audit_write(tenant_id int4, subject uuid, action text, changes jsonb DEFAULT NULL, direct boolean DEFAULT false,
	module_id int4 DEFAULT 0, record_version int4 DEFAULT 0, from_state text DEFAULT NULL, to_state text DEFAULT NULL,
	from_definition int4 DEFAULT NULL, to_definition int4 DEFAULT NULL) RETURNS void AS 'MODULE_PATHNAME', 'qehs_audit_write'
LANGUAGE C VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_write(int4, uuid, text, jsonb, boolean, int4, int4, text, text, int4, int4) IS 'Writes an audit event of a subject (user, role, API key, module, export job …) by the caller of the session. changes is [{"path","from","to"}]. Without a caller, or where direct says that a row was written past the functions, the actor is the system and reason names the login role. For the functions of the extension.';

CREATE FUNCTION qehs.audit_member(column_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT pg_catalog.string_agg(CASE WHEN n = 1 THEN part ELSE pg_catalog.initcap(part) END, '' ORDER BY n)
	FROM pg_catalog.unnest(pg_catalog.string_to_array(column_name, '_')) WITH ORDINALITY AS p (part, n));
COMMENT ON FUNCTION qehs.audit_member(text) IS 'A name of SQL as it is on the wire: revoked_at is revokedAt.';

CREATE FUNCTION qehs.audit_differences(old_row jsonb, new_row jsonb, prefix text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('path', prefix OPERATOR(pg_catalog.||) CASE WHEN prefix = '/' THEN qehs.audit_member(k) ELSE k END, 'from', old_row OPERATOR(pg_catalog.->) k,
	'to', new_row OPERATOR(pg_catalog.->) k)) ORDER BY k)
	FROM (SELECT pg_catalog.jsonb_object_keys(COALESCE(old_row, '{}')) UNION SELECT pg_catalog.jsonb_object_keys(COALESCE(new_row, '{}'))) AS keys (k)
	WHERE NULLIF(old_row OPERATOR(pg_catalog.->) k, 'null') IS DISTINCT FROM NULLIF(new_row OPERATOR(pg_catalog.->) k, 'null'));
COMMENT ON FUNCTION qehs.audit_differences(jsonb, jsonb, text) IS 'The members in which two objects (or NULL) differ, as changes of an audit event: [{"path","from","to"}], prefix in front of each member''s name, which is written as on the wire where prefix is /; NULL where there is none.';

CREATE FUNCTION qehs.audit_is_restoring() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.current_setting('row_security') = 'off' AND pg_catalog.current_setting('check_function_bodies') = 'off';
COMMENT ON FUNCTION qehs.audit_is_restoring() IS 'Whether the session has the settings that pg_dump and pg_restore begin with: the rows of a dump have their events in it already.';

CREATE FUNCTION qehs.audit_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $audit$
DECLARE
	old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
	new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
	either jsonb := coalesce(new_row, old_row);
	subject uuid;
	verb text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END;
	changes jsonb;
BEGIN
	IF qehs.audit_is_restoring() THEN
		RETURN NULL;
	END IF;
	IF TG_ARGV[1] = 'module_id' THEN
		subject := qehs.audit_module_subject((either ->> 'module_id')::int4);
		new_row := new_row || jsonb_build_object('definition_sha256', encode(sha256(convert_to(new_row ->> 'definition', 'UTF8')), 'hex'));
		verb := CASE TG_OP WHEN 'INSERT' THEN 'published' ELSE verb END;
	ELSE
		subject := either ->> TG_ARGV[1];
	END IF;
	changes := qehs.audit_differences(old_row - TG_ARGV[2 : ], new_row - TG_ARGV[2 : ], '/');
	IF changes IS NULL THEN
		RETURN NULL;
	END IF;
	IF TG_ARGV[0] = 'legalHold' AND TG_OP = 'UPDATE' AND old_row -> 'released_at' = 'null' AND new_row -> 'released_at' <> 'null' THEN
		verb := 'released';
	END IF;
	IF TG_ARGV[0] IN ('apiKey', 'delegation') AND TG_OP = 'UPDATE' AND old_row -> 'revoked_at' = 'null' AND new_row -> 'revoked_at' <> 'null' THEN
		verb := 'revoked';
	END IF;
	PERFORM qehs.audit_write((either ->> 'tenant_id')::int4, subject, TG_ARGV[0] || '.' || verb, changes, current_user <> 'qehs_owner');
	RETURN NULL;
END
$audit$;
COMMENT ON FUNCTION qehs.audit_row() IS 'Trigger of users, roles, members, locations, API keys, delegations, legal holds, credentials of signatures and definitions: writes an audit event of each row that is made, changed or deleted, by whichever way. Arguments: what the event calls it, the column of its id, and columns that are left out, such as a key''s hash.';

CREATE FUNCTION qehs.audit_module_subject(module_id int4) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN ('00000000-0000-8000-8000-' OPERATOR(pg_catalog.||) pg_catalog.lpad(pg_catalog.to_hex(module_id), 12, '0'))::pg_catalog.uuid;
COMMENT ON FUNCTION qehs.audit_module_subject(int4) IS 'What stands as record_id in events of a module''s definitions: a UUIDv8 that ends in its number.';

CREATE FUNCTION qehs.audit_record_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $audit$
DECLARE
	old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
	new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
	either jsonb := coalesce(new_row, old_row);
	slots text[] := '{payload,workflow_state,definition_version,search,d1,d2,d3,d4,n1,n2,n3,n4,t1,t2,t3,t4,t5,t6}';
	changes jsonb;
BEGIN
	IF qehs.audit_is_restoring() THEN
		RETURN NULL;
	END IF;
	IF TG_OP = 'DELETE' THEN
		changes := jsonb_build_object('payload', old_row -> 'payload');
	ELSE
		changes := coalesce(qehs.audit_differences(CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE old_row -> 'payload' END, new_row -> 'payload', '/payload/'), '[]')
			|| CASE WHEN TG_OP = 'INSERT' THEN '[]' ELSE coalesce(qehs.audit_differences(old_row - slots, new_row - slots, '/'), '[]') END;
	END IF;
	PERFORM qehs.audit_write((either ->> 'tenant_id')::int4, (either ->> 'id')::uuid,
		CASE TG_OP WHEN 'INSERT' THEN 'inserted' WHEN 'UPDATE' THEN 'rewritten' ELSE 'removed' END, changes, true, (either ->> 'module_id')::int4,
		(either ->> 'version')::int4, old_row ->> 'workflow_state', new_row ->> 'workflow_state', (old_row ->> 'definition_version')::int4,
		coalesce((new_row ->> 'definition_version')::int4, (old_row ->> 'definition_version')::int4));
	RETURN NULL;
END
$audit$;
COMMENT ON FUNCTION qehs.audit_record_row() IS 'Trigger of qehs.record for rows that are written past the functions of the extension: writes an audit event inserted, rewritten or removed, with what changed, whose reason names the login role.';

-- what the functions write has its event already (change/row.c): the condition costs a comparison a row
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON qehs.record FOR EACH ROW WHEN (CURRENT_USER <> 'qehs_owner') EXECUTE FUNCTION qehs.audit_record_row();

DO $triggers$
DECLARE
	audited record;
BEGIN
	FOR audited IN
		SELECT * FROM (VALUES
			('user_account', $$'user', 'id', 'tenant_id', 'version', 'created_at', 'updated_at'$$, 'UPDATE'),
			('role', $$'role', 'id', 'tenant_id', 'version', 'created_at', 'updated_at'$$, 'UPDATE'),
			('role_member', $$'roleMember', 'role_id', 'tenant_id'$$, 'UPDATE'),
			('location', $$'location', 'id', 'tenant_id', 'version', 'created_at', 'updated_at'$$, 'UPDATE'),
			('api_key', $$'apiKey', 'id', 'tenant_id', 'hash', 'created_at', 'created_by', 'last_used_at'$$,
				'UPDATE OF tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit, expires_at, revoked_at, allowed_addresses'),
			('legal_hold', $$'legalHold', 'id', 'tenant_id', 'created_at', 'created_by'$$, 'UPDATE'),
			('delegation', $$'delegation', 'id', 'tenant_id', 'created_at', 'created_by'$$, 'UPDATE'),
			('signature_credential', $$'signatureCredential', 'user_id', 'tenant_id', 'hash', 'failures', 'failed_at'$$, 'UPDATE OF tenant_id, user_id, hash, changed_at'),
			('module_version', $$'module', 'module_id', 'tenant_id', 'definition', 'json_schema', 'slots', 'created_at', 'created_by'$$, 'UPDATE')
		) AS t (name, arguments, changed)
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER audit AFTER INSERT OR %s ON qehs.%I FOR EACH ROW EXECUTE FUNCTION qehs.audit_row(%s)',
			audited.changed, audited.name, audited.arguments);
		EXECUTE pg_catalog.format('CREATE TRIGGER audit_delete AFTER DELETE ON qehs.%I FOR EACH ROW WHEN (NOT qehs.tenant_remove_runs()) EXECUTE FUNCTION qehs.audit_row(%s)',
			audited.name, audited.arguments);
	END LOOP;
END
$triggers$;
