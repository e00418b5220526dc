-- Lists: pages by cursor.

CREATE FUNCTION qehs.payload_text(payload jsonb, place text, type int4) RETURNS text AS 'MODULE_PATHNAME', 'qehs_payload_text'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.payload_text(jsonb, text, int4) IS 'A member of a payload as filters compare it, as text, whole; NULL where there is none. place is keys with dots between them (site.city). type is the number of a field type in the server''s library, which writes these calls itself; a wrong one gives NULL.';

CREATE FUNCTION qehs.payload_clip(payload jsonb, place text, type int4) RETURNS text AS 'MODULE_PATHNAME', 'qehs_payload_clip'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.payload_clip(jsonb, text, int4) IS 'A member of a payload as filters compare it, as text, the first 255 bytes, by which it is ordered; NULL where there is none. Arguments are those of qehs.payload_text.';

CREATE FUNCTION qehs.payload_number(payload jsonb, place text, type int4) RETURNS numeric AS 'MODULE_PATHNAME', 'qehs_payload_number'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.payload_number(jsonb, text, int4) IS 'A member of a payload as filters compare it, as a number, of a duration in microseconds; NULL where there is none. Arguments are those of qehs.payload_text.';

CREATE FUNCTION qehs.payload_time(payload jsonb, place text, type int4) RETURNS timestamptz AS 'MODULE_PATHNAME', 'qehs_payload_time'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.payload_time(jsonb, text, int4) IS 'A member of a payload as filters compare it, as an instant; a date is midnight UTC; NULL where there is none. Arguments are those of qehs.payload_text.';

CREATE FUNCTION qehs.payload_list(payload jsonb, place text) RETURNS text[] AS 'MODULE_PATHNAME', 'qehs_payload_list'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.payload_list(jsonb, text) IS 'A member of a payload as filters compare it, as the elements of a list; NULL where there is none. Arguments are those of qehs.payload_text.';

CREATE FUNCTION qehs.payload_exists(payload jsonb, place text) RETURNS boolean AS 'MODULE_PATHNAME', 'qehs_payload_exists'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.payload_exists(jsonb, text) IS 'Whether a payload has a member at a place, which is written as for qehs.payload_text; null is none.';

CREATE FUNCTION qehs.record_list(module_key text, filter jsonb DEFAULT NULL, status text DEFAULT NULL,
	created_from text DEFAULT NULL, created_to text DEFAULT NULL, q text DEFAULT NULL, sort text DEFAULT NULL,
	fields text DEFAULT NULL, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL, media_type text DEFAULT NULL, count text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_list(text, jsonb, text, text, text, text, text, text, int4, text, text, text) IS 'A page of a module''s live records. filter is {"field":value} or {"field":{"op":value}} with op eq, ne, lt, lte, gt, gte, in, nin, contains, startsWith, exists, combined by and, or, not; "address.city" is a member of an object, "cost.currency" one of a value. A value is compared by the field''s type: eq, ne, in, nin by whole values, lt, lte, gt, gte and sort by the first 255 bytes of a text, the place of an option, the number, the instant or the length of time. ne, nin and not match a record that lacks the field, other operators do not. Lists: eq and contains have that element, ne lacks it, in has any, nin none. An operator that a type has no meaning for is an error that names those which it has. created_from and created_to take a time or a date; a date as created_to is its whole day. q finds words as people see them, behind slashes, hyphens and dots, without case and accents, by their beginnings from two characters on, in the display code and the searched fields (those with searchable, else all of text, tags and choices, in tables and objects too, these by the words of their values and labels in any language): all words must be there, or between two parts makes either do, - in front excludes, quotes make a phrase; what is joined and has digits (AB-12/3) is found whole and by part, AB-12 by AB12 as well; forklift, fork-lift and fork lift (in a question of up to three words) find Fork-lift and forklift. sort is a field, - in front for descending, or up to eight with commas between, default -createdAt, with q -displayCode, ties broken by id; records that lack a field come last. A page of q in the order of display codes ends when the index has done the work of a page (setting qehs.search_work), perhaps short or empty, with a cursor that goes on. count is exact or estimated, which counts up to 10,000 and takes the planner''s word beyond: the page has totalCount then, and totalCountEstimated where it is an estimate. page_size is 1 to 200, default 50; a page of more than 16 MiB ends early. media_type is what a request takes: with application/x-ndjson all records come, a line each, without page_size, in parts of some 256 KiB. A record whose sort value changes during a walk may be seen twice or not at all. Raises QH400 invalid_parameter, invalid_cursor, QH403, QH404.';

CREATE FUNCTION qehs.record_activity(id text, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_activity'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_activity(text, int4, text) IS 'A page of what happened to a record, newest first; with scope audit.read also of a deleted one. page_size is 1 to 200, default 50. Raises QH400 invalid_parameter, invalid_cursor, QH404 not_found.';

CREATE FUNCTION qehs.audit_list(record_id text DEFAULT NULL, actor text DEFAULT NULL, action text DEFAULT NULL,
	from_time text DEFAULT NULL, to_time text DEFAULT NULL, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_audit_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_list(text, text, text, text, text, int4, text) IS 'A page of the tenant''s audit events, newest first, those of deleted records included; a delete event carries the last payload. Times are RFC 3339 with offset, both ends included. page_size is 1 to 200, default 50. Needs scope audit.read. Raises QH400 invalid_parameter, invalid_cursor.';
