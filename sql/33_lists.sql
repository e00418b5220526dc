-- Lists: pages by cursor.

CREATE FUNCTION qehs.payload_time(payload jsonb, key text) RETURNS timestamptz AS 'MODULE_PATHNAME', 'qehs_payload_time'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.payload_time(jsonb, text) IS 'A member of a payload that is an RFC 3339 date or date-time, as timestamptz (a date is midnight UTC); NULL for anything else.';

CREATE FUNCTION qehs.record_list(module_key text, filter jsonb DEFAULT NULL, status text DEFAULT NULL,
	created_from text DEFAULT NULL, created_to text DEFAULT NULL, q text DEFAULT NULL, sort text DEFAULT NULL,
	fields text DEFAULT NULL, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_list(text, jsonb, text, text, text, text, text, text, int4, text) IS 'A page of a module''s live records. filter is {"field":value} or {"field":{"op":value}} with op eq, ne, lt, lte, gt, gte, in, nin, contains, startsWith, exists, combined by and, or, not; a record that lacks the field matches ne and nin only. Text compares by code point, and in sorting by its first 255 bytes. sort is a field, - in front for descending, default -createdAt, ties broken by id; records that lack the field come last (first when descending). page_size is 1 to 200, default 50. A record whose sort value changes during a walk may be seen twice or not at all. Raises QH400 invalid_parameter, invalid_cursor, QH403, QH404.';

CREATE FUNCTION qehs.record_activity(id text, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_activity'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_activity(text, int4, text) IS 'A page of what happened to a record, newest first; with scope audit.read also of a deleted one. page_size is 1 to 200, default 50. Raises QH400 invalid_parameter, invalid_cursor, QH404 not_found.';

CREATE FUNCTION qehs.audit_list(record_id text DEFAULT NULL, actor text DEFAULT NULL, action text DEFAULT NULL,
	from_time text DEFAULT NULL, to_time text DEFAULT NULL, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_audit_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_list(text, text, text, text, text, int4, text) IS 'A page of the tenant''s audit events, newest first, those of deleted records included; a delete event carries the last payload. Times are RFC 3339 with offset, both ends included. page_size is 1 to 200, default 50. Needs scope audit.read. Raises QH400 invalid_parameter, invalid_cursor.';
