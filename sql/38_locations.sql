-- The location tree of a tenant, for the scope location of permissions (extension/permission/location.h).

CREATE FUNCTION qehs.location_put(key text, name text, parent text DEFAULT NULL, users text[] DEFAULT NULL, roles text[] DEFAULT NULL,
	if_match text DEFAULT NULL, if_none_match text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_location_put'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.location_put(text, text, text, text[], text[], text, text) IS 'Makes a location of the current tenant, or replaces what it says, and gives it as location_get does. key is 1 to 63 letters, digits, dots, underscores or hyphens; name 1 to 200 characters; parent the key of the location that it is part of, NULL for a root. users (at most 1000 user names) and roles (at most 100) have it, with all that lies in it: permissions with the scope location reach what is there. A tree has at most 10000 locations, 32 from a root down. Rights follow at the next request. if_match names the version that it must have, if_none_match (*) that there must be none. Needs scope admin.users, with a key for all modules. Raises QH400 validation_failed, QH403 forbidden, QH409 conflict, QH412 version_mismatch.';

CREATE FUNCTION qehs.location_get(key text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_location_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.location_get(text) IS 'A location of the current tenant: {"key","name","parent"}, and with the scope admin.users "users" and "roles". Needs scope modules.read, with a key for all modules. Raises QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.location_list(page_size int4 DEFAULT 50, cursor text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_location_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.location_list(int4, text) IS 'A page of the locations of the current tenant in the order of their keys, each as location_get gives it: {"items","nextCursor"}. page_size is 1 to 200. Needs scope modules.read, with a key for all modules. Raises QH400 invalid_parameter and invalid_cursor, QH403 forbidden.';

CREATE FUNCTION qehs.location_delete(key text, if_match text DEFAULT NULL) RETURNS void AS 'MODULE_PATHNAME', 'qehs_location_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.location_delete(text, text) IS 'Deletes a location of the current tenant in which no other lies. Records go on naming it, and are in nobody''s location any more. if_match names the version that it must have. Needs scope admin.users, with a key for all modules. Raises QH403 forbidden, QH404 not_found, QH409 conflict, QH412 version_mismatch.';
