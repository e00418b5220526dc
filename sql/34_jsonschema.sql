-- JSON Schema draft 2020-12 for any jsonb, in CHECK constraints too.

CREATE FUNCTION qehs.jsonschema_is_valid(schema jsonb, instance jsonb, assert_formats boolean DEFAULT false) RETURNS boolean
AS 'MODULE_PATHNAME', 'qehs_jsonschema_is_valid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION qehs.jsonschema_is_valid(jsonb, jsonb, boolean) IS 'Whether instance is valid under schema (JSON Schema draft 2020-12). "format" only annotates, unless the schema''s dialect or assert_formats says that it decides. A $ref may name a place in the schema, a metaschema of the draft, or a schema of jsonschema_register; nothing is fetched. The compiled schema is kept in the session, and in parallel workers. A CHECK constraint whose schema refers to a registered one is to be added NOT VALID (new rows are checked all the same): pg_dump then restores it after the data, and not before the registered schemas. Raises 22023 for a schema that is not valid (see jsonschema_check), 54000 when checking takes too many steps or too much stack.';

CREATE FUNCTION qehs.jsonschema_errors(schema jsonb, instance jsonb, assert_formats boolean DEFAULT false)
RETURNS TABLE (instance_location text, keyword_location text, keyword text, message text)
AS 'MODULE_PATHNAME', 'qehs_jsonschema_errors'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 5;
COMMENT ON FUNCTION qehs.jsonschema_errors(jsonb, jsonb, boolean) IS 'The violations of instance under schema, 100 at most: where in the instance (JSON Pointer; of a missing or unknown member, its own place), which keyword where in the schema, and a message for people. No rows when it is valid. Otherwise like jsonschema_is_valid.';

CREATE FUNCTION qehs.jsonschema_check(schema jsonb)
RETURNS TABLE (location text, keyword text, message text)
AS 'MODULE_PATHNAME', 'qehs_jsonschema_check'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION qehs.jsonschema_check(jsonb) IS 'The faults of a schema, 100 at most: what its metaschema forbids, references that name nothing, patterns that are no regular expressions. No rows when it can be used.';

CREATE FUNCTION qehs.jsonschema_register(uri text, schema jsonb) RETURNS void
AS 'MODULE_PATHNAME', 'qehs_jsonschema_register'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.jsonschema_register(text, jsonb) IS 'Makes a schema known in this database under an absolute URI without fragment, for $ref and $schema of others. It may refer to others, registered before or after it. A registered schema does not change: CHECK constraints rely on it; the same again is nothing new; a new version has a URI of its own. Who owns the table may DELETE FROM qehs.json_schema: what refers to it then raises. Raises 22023 for a bad URI and for a schema that is not valid, 42710 when another schema has the URI.';
