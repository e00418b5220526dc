-- SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865): what identity providers call, and what owners configure.

CREATE FUNCTION qehs.scim_tenant() RETURNS int4 AS 'MODULE_PATHNAME', 'qehs_scim_tenant'
LANGUAGE C STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_tenant() IS 'The current tenant''s number, for those with scope admin.users; the functions that configure SCIM ask it. Raises QH401 unauthenticated, QH403 forbidden.';

CREATE FUNCTION qehs.scim_user_create(resource jsonb, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_user_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_user_create(jsonb, text, text, text) IS 'Makes a user from a SCIM resource and gives it (RFC 7644 section 3.3). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax and validation_failed, QH409 conflict.';

CREATE FUNCTION qehs.scim_user_get(id text, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_user_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_user_get(text, text, text, text) IS 'Reads a user by id, a UUID, as a SCIM resource (RFC 7644 section 3.4.1). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH404 not_found, also for what is no UUID.';

CREATE FUNCTION qehs.scim_user_list(filter text DEFAULT NULL, sort_by text DEFAULT NULL, sort_order text DEFAULT NULL, start_index int4 DEFAULT NULL, count int4 DEFAULT NULL, cursor text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_user_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_user_list(text, text, text, int4, int4, text, text, text, text) IS 'Lists resources as a SCIM ListResponse (RFC 7644 section 3.4.2): a user. start_index counts from 1; count is at most 200, 100 when NULL; with cursor, '''' for the first page, pages are by cursor (RFC 9865). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_filter, invalid_path (sort_by), invalid_cursor and invalid_parameter.';

CREATE FUNCTION qehs.scim_user_search(request jsonb, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_user_search'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_user_search(jsonb, text) IS 'The same list by a SearchRequest (RFC 7644 section 3.4.3): a user. Needs scope admin.users. Raises QH400 invalid_syntax and what the list raises.';

CREATE FUNCTION qehs.scim_user_replace(id text, resource jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_user_replace'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_user_replace(text, jsonb, text, text, text, text) IS 'Replaces a user (RFC 7644 section 3.5.1): what is left out is cleared, save active of a user, which stays. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax, validation_failed and mutability, QH404 not_found, QH409 conflict, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_user_update(id text, operations jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_user_update'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_user_update(text, jsonb, text, text, text, text) IS 'Changes a user by a PatchOp message (RFC 7644 section 3.5.2), all of it or nothing. Gives JSON null, over HTTP 204, unless attributes or excluded_attributes is given. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax, invalid_path, no_target, mutability and validation_failed, QH404 not_found, QH409 conflict, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_user_delete(id text, if_match text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_user_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_user_delete(text, text, text) IS 'Deletes a user (RFC 7644 section 3.6). The name stays for records and the audit trail; its keys are revoked. Gives JSON null. Needs scope admin.users. Raises QH404 not_found, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_group_create(resource jsonb, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_group_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_group_create(jsonb, text, text, text) IS 'Makes a group, which is a role, from a SCIM resource and gives it (RFC 7644 section 3.3). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax and validation_failed, QH409 conflict.';

CREATE FUNCTION qehs.scim_group_get(id text, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_group_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_group_get(text, text, text, text) IS 'Reads a group, which is a role, by id, a UUID, as a SCIM resource (RFC 7644 section 3.4.1). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH404 not_found, also for what is no UUID.';

CREATE FUNCTION qehs.scim_group_list(filter text DEFAULT NULL, sort_by text DEFAULT NULL, sort_order text DEFAULT NULL, start_index int4 DEFAULT NULL, count int4 DEFAULT NULL, cursor text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_group_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_group_list(text, text, text, int4, int4, text, text, text, text) IS 'Lists resources as a SCIM ListResponse (RFC 7644 section 3.4.2): a group, which is a role,. start_index counts from 1; count is at most 200, 100 when NULL; with cursor, '''' for the first page, pages are by cursor (RFC 9865). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_filter, invalid_path (sort_by), invalid_cursor and invalid_parameter.';

CREATE FUNCTION qehs.scim_group_search(request jsonb, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_group_search'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_group_search(jsonb, text) IS 'The same list by a SearchRequest (RFC 7644 section 3.4.3): a group, which is a role,. Needs scope admin.users. Raises QH400 invalid_syntax and what the list raises.';

CREATE FUNCTION qehs.scim_group_replace(id text, resource jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_group_replace'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_group_replace(text, jsonb, text, text, text, text) IS 'Replaces a group, which is a role, (RFC 7644 section 3.5.1): what is left out is cleared, save active of a user, which stays. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax, validation_failed and mutability, QH404 not_found, QH409 conflict, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_group_update(id text, operations jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_group_update'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_group_update(text, jsonb, text, text, text, text) IS 'Changes a group, which is a role, by a PatchOp message (RFC 7644 section 3.5.2), all of it or nothing. Gives JSON null, over HTTP 204, unless attributes or excluded_attributes is given. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax, invalid_path, no_target, mutability and validation_failed, QH404 not_found, QH409 conflict, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_group_delete(id text, if_match text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_group_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_group_delete(text, text, text) IS 'Deletes a group, which is a role, (RFC 7644 section 3.6). Its members lose what it gave; a built-in role stays a role. Gives JSON null. Needs scope admin.users. Raises QH404 not_found, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_resource_create(resource jsonb, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_create(jsonb, text, text, text, text) IS 'Makes a resource of the type that qehs.scim_resource_type has under the endpoint resource_type from a SCIM resource and gives it (RFC 7644 section 3.3). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax and validation_failed, QH409 conflict.';

CREATE FUNCTION qehs.scim_resource_get(id text, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_get(text, text, text, text, text) IS 'Reads a resource of the type that qehs.scim_resource_type has under the endpoint resource_type by id, a UUID, as a SCIM resource (RFC 7644 section 3.4.1). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH404 not_found, also for what is no UUID.';

CREATE FUNCTION qehs.scim_resource_list(filter text DEFAULT NULL, sort_by text DEFAULT NULL, sort_order text DEFAULT NULL, start_index int4 DEFAULT NULL, count int4 DEFAULT NULL, cursor text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_list(text, text, text, int4, int4, text, text, text, text, text) IS 'Lists resources as a SCIM ListResponse (RFC 7644 section 3.4.2): a resource of the type that qehs.scim_resource_type has under the endpoint resource_type. start_index counts from 1; count is at most 200, 100 when NULL; with cursor, '''' for the first page, pages are by cursor (RFC 9865). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_filter, invalid_path (sort_by), invalid_cursor and invalid_parameter.';

CREATE FUNCTION qehs.scim_resource_search(request jsonb, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_search'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_search(jsonb, text, text) IS 'The same list by a SearchRequest (RFC 7644 section 3.4.3): a resource of the type that qehs.scim_resource_type has under the endpoint resource_type. Needs scope admin.users. Raises QH400 invalid_syntax and what the list raises.';

CREATE FUNCTION qehs.scim_resource_replace(id text, resource jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_replace'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_replace(text, jsonb, text, text, text, text, text) IS 'Replaces a resource of the type that qehs.scim_resource_type has under the endpoint resource_type (RFC 7644 section 3.5.1): what is left out is cleared, save active of a user, which stays. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax, validation_failed and mutability, QH404 not_found, QH409 conflict, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_resource_update(id text, operations jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_update'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_update(text, jsonb, text, text, text, text, text) IS 'Changes a resource of the type that qehs.scim_resource_type has under the endpoint resource_type by a PatchOp message (RFC 7644 section 3.5.2), all of it or nothing. Gives JSON null, over HTTP 204, unless attributes or excluded_attributes is given. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH400 invalid_syntax, invalid_path, no_target, mutability and validation_failed, QH404 not_found, QH409 conflict, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_resource_delete(id text, if_match text DEFAULT NULL, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_delete(text, text, text, text) IS 'Deletes a resource of the type that qehs.scim_resource_type has under the endpoint resource_type (RFC 7644 section 3.6).  Gives JSON null. Needs scope admin.users. Raises QH404 not_found, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_me_get(attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_me_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_me_get(text, text, text) IS 'Reads the user that the caller acts as (RFC 7644 section 3.11). attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises QH404 not_found for a caller that is no user.';

CREATE FUNCTION qehs.scim_me_replace(resource jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_me_replace'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_me_replace(jsonb, text, text, text, text) IS 'As qehs.scim_user_replace, for the user that the caller acts as. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises the same, and QH404 for a caller that is no user.';

CREATE FUNCTION qehs.scim_me_update(operations jsonb, if_match text DEFAULT NULL, attributes text DEFAULT NULL, excluded_attributes text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_me_update'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_me_update(jsonb, text, text, text, text) IS 'As qehs.scim_user_update, for the user that the caller acts as. attributes and excluded_attributes are names separated by commas (RFC 7644 section 3.9), base_url is where clients see the server. Needs scope admin.users. Raises the same, and QH404 for a caller that is no user.';

CREATE FUNCTION qehs.scim_me_delete(if_match text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_me_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_me_delete(text, text) IS 'As qehs.scim_user_delete, for the user that the caller acts as. Needs scope admin.users. Raises QH404 for a caller that is no user, QH412 version_mismatch.';

CREATE FUNCTION qehs.scim_search(request jsonb, base_url text DEFAULT NULL, resource_type text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_search'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_search(jsonb, text, text) IS 'A SearchRequest over all resource types, one after another (RFC 7644 section 3.4.3); sortBy and cursor need one type. With resource_type over that alone, named as its endpoint is in qehs.scim_resource_type. Needs scope admin.users. Raises QH400 invalid_syntax, invalid_filter and invalid_parameter, QH404 not_found for an unknown type.';

CREATE FUNCTION qehs.scim_bulk(request jsonb, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_bulk'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_bulk(jsonb, text) IS 'Runs a BulkRequest (RFC 7644 section 3.7) and gives the BulkResponse. Each operation succeeds or fails alone; bulkId references may point forward and in circles. Needs scope admin.users. Raises QH400 invalid_syntax, QH413 payload_too_large for more than 1000 operations.';

CREATE FUNCTION qehs.scim_service_provider_config(filter text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_service_provider_config'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_service_provider_config(text, text) IS 'What of SCIM the server does (RFC 7643 section 5). Raises QH403 forbidden for a filter.';

CREATE FUNCTION qehs.scim_resource_type_list(filter text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_type_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_type_list(text, text) IS 'The resource types (RFC 7643 section 6). Raises QH403 forbidden for a filter.';

CREATE FUNCTION qehs.scim_resource_type_get(name text, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_resource_type_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_resource_type_get(text, text) IS 'One resource type by name. Raises QH404 not_found.';

CREATE FUNCTION qehs.scim_schema_list(filter text DEFAULT NULL, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_schema_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_schema_list(text, text) IS 'The schemas (RFC 7643 section 7). Raises QH403 forbidden for a filter.';

CREATE FUNCTION qehs.scim_schema_get(urn text, base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_scim_schema_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.scim_schema_get(text, text) IS 'One schema by its URN. Raises QH404 not_found.';

CREATE FUNCTION qehs.scim_configure(keep_unresolved_members boolean) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $configure$
BEGIN
	IF keep_unresolved_members IS NULL THEN
		RAISE EXCEPTION 'keep_unresolved_members is required' USING ERRCODE = 'QH400', CONSTRAINT = 'validation_failed';
	END IF;
	INSERT INTO qehs.scim_setting AS s (tenant_id, keep_unresolved_members) VALUES (qehs.scim_tenant(), scim_configure.keep_unresolved_members)
	ON CONFLICT (tenant_id) DO UPDATE SET keep_unresolved_members = EXCLUDED.keep_unresolved_members;
END
$configure$;
COMMENT ON FUNCTION qehs.scim_configure(boolean) IS 'Whether SCIM of the current tenant keeps members of groups that are no user, which are else refused. Needs scope admin.users. Raises QH400 validation_failed.';

CREATE FUNCTION qehs.scim_group_map(group_name text, role_name text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $map$
DECLARE
	tenant int4 := qehs.scim_tenant();
BEGIN
	-- a role that definitions name has a row from its first use on
	INSERT INTO qehs.role (tenant_id, name) VALUES (tenant, role_name) ON CONFLICT DO NOTHING;
	INSERT INTO qehs.scim_group_role (tenant_id, group_id, role_id)
	SELECT tenant, g.id, r.id FROM qehs.role AS g JOIN qehs.role AS r ON r.tenant_id = tenant AND r.name = role_name
	WHERE g.tenant_id = tenant AND g.provisioned AND lower(g.display_name) = lower(group_name) ON CONFLICT DO NOTHING;
	IF NOT EXISTS (SELECT FROM qehs.role AS g WHERE g.tenant_id = tenant AND g.provisioned AND lower(g.display_name) = lower(group_name)) THEN
		RAISE EXCEPTION 'the tenant has no group "%"', group_name USING ERRCODE = 'QH404', CONSTRAINT = 'not_found',
			HINT = 'Let the identity provider send the group first.';
	END IF;
END
$map$;
COMMENT ON FUNCTION qehs.scim_group_map(text, text) IS 'Gives the members of a SCIM group of the current tenant a role besides that of the group''s own name, from their next request on. Needs scope admin.users. Raises QH404 not_found for a group that is not there; a name that no role can have is a check violation.';

CREATE FUNCTION qehs.scim_group_unmap(group_name text, role_name text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $unmap$
DECLARE
	tenant int4 := qehs.scim_tenant();
BEGIN
	DELETE FROM qehs.scim_group_role AS m USING qehs.role AS g, qehs.role AS r
	WHERE m.tenant_id = tenant AND g.tenant_id = tenant AND g.id = m.group_id AND lower(g.display_name) = lower(group_name)
		AND r.tenant_id = tenant AND r.id = m.role_id AND r.name = role_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the group "%" does not give the role "%"', group_name, role_name USING ERRCODE = 'QH404', CONSTRAINT = 'not_found';
	END IF;
END
$unmap$;
COMMENT ON FUNCTION qehs.scim_group_unmap(text, text) IS 'Undoes qehs.scim_group_map, from the members'' next request on. Needs scope admin.users. Raises QH404 not_found.';
