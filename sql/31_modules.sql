-- Modules: definitions are data, versions are immutable.

CREATE FUNCTION qehs.module_list(page_size int4 DEFAULT NULL, cursor text DEFAULT NULL, count text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_module_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_list(int4, text, text) IS 'A page of the tenant''s modules by key: {"key","name","description","definitionVersion","recordCount"}; recordCount counts live records; from 10,000 on it is estimated by the display numbers, as many as were ever made, and "recordCountEstimated":true says so. count exact counts them all, estimated is the default. page_size is 1 to 200, default 50. Needs scope modules.read. Raises QH400 invalid_parameter, invalid_cursor.';

CREATE FUNCTION qehs.module_get(module_key text, version int4 DEFAULT NULL, accept_language text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_module_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_get(text, int4, text) IS 'A definition as published, with definitionVersion, createdAt and the compiled jsonSchema (JSON Schema 2020-12); version NULL is the current one. accept_language is an Accept-Language value (RFC 9110 section 12.5.4): where it prefers a language of the labels, each label is a plain text, in it or else in English or the first. Needs scope modules.read. Raises QH404 not_found.';

CREATE FUNCTION qehs.module_publish(module_key text, definition jsonb, if_match text DEFAULT NULL, if_none_match text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_module_publish'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_publish(text, jsonb, text, text) IS 'Publishes a definition as the module''s next version and gives it as module_get does; an identical one changes nothing. if_match is the version (or ETag) that it follows: QH412 version_mismatch when another was published since; if_none_match * publishes a new module only. Needs scope modules.write and role tenant-owner or tenant-admin. Raises QH400 validation_failed with every fault and its JSON Pointer, also for a version that narrows what records hold where its member "migrate" does not say what becomes of them: {"rename":{old:new},"drop":[field],"default":{field:value},"states":{old:new}}; default is for records that lack the field or whose value does not hold, and a field that is renamed to itself is carried over as it is, so that records whose value does not hold stay at their version.';

CREATE FUNCTION qehs.module_publish_all(definitions jsonb)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_module_publish_all'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_publish_all(jsonb) IS 'Publishes an array of 1 to 100 definitions, in any order and all or none, as module_publish does one; they may refer to each other. Gives {"items":[{"key","definitionVersion"}]}. Needs scope modules.write and role tenant-owner or tenant-admin. Raises QH400 validation_failed with the faults of the first definition that has some, below /definitions/<number>.';

CREATE FUNCTION qehs.module_install(tenant text, VARIADIC module_keys text[])
RETURNS SETOF json AS 'MODULE_PATHNAME', 'qehs_module_install'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_install(text, text[]) IS 'Publishes modules of the shipped catalogue (qehs.catalogue) in a tenant, all or none: qehs.module_install(''acme'', ''incidents'', ''permits''), or an array behind VARIADIC; and before each those that its fields refer to and the tenant lacks. A module that was installed already becomes what the catalogue has now, and keeps what the tenant has changed in it: three-way, by qehs.module_merge. Gives a row per key, the definition as module_publish does, with conflicts as module_merge does. Raises QH400 without a key, QH404 for an unknown tenant or module, QH409 for a module of that key that the tenant has made itself, QH400 as module_publish does.';

CREATE FUNCTION qehs.module_merge(base jsonb, tenant jsonb, catalogue jsonb)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_module_merge'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.module_merge(jsonb, jsonb, jsonb) IS 'What a tenant''s definition and the catalogue''s newer one make together, both being made of base: {"definition","conflicts":[{"path","base","tenant","catalogue"}]}. Objects are merged by member; fields by key, options by value, bands and lists of texts by name. Where both have changed a thing, each otherwise, the tenant''s stays and is a conflict: path is a JSON Pointer with names in place of numbers, null a thing that is not there. "migrate" is the catalogue''s. Raises QH400 for what is no object.';

CREATE FUNCTION qehs.module_diff(module_key text, from_version int4, to_version int4 DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_module_diff'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_diff(text, int4, int4) IS 'What changed from one published version of a module to another (NULL: the current one): {"moduleKey","from","to","compatible","changes":[{"path","in","kind","compatible","migrated","message"}]}. path is a JSON Pointer into the definition that in names, from or to; compatible says that every record still holds after the change; migrated that the "migrate" rules of the next version say what becomes of those that do not. Needs scope modules.read. Raises QH404 not_found.';

CREATE FUNCTION qehs.module_refill(module_key text) RETURNS void AS 'MODULE_PATHNAME', 'qehs_module_refill'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_refill(text) IS 'Has the index of a module filled from its records again, by a job of kind module_refill; until it has ended lists do without the index. module_publish queues such a job by itself; this is for one that has failed. Needs scope modules.write and role tenant-owner or tenant-admin. Raises QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.catalogue() RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.json_agg(pg_catalog.json_build_object('key', c.key, 'name', c.definition ->> 'name', 'description', c.definition ->> 'description',
		'displayPrefix', c.definition #>> '{displayCode,prefix}', 'states', c.definition #> '{workflow,states}',
		'fields', pg_catalog.jsonb_path_query_array(c.definition, '$.fields[*].key'), 'references', (SELECT COALESCE(pg_catalog.json_agg(DISTINCT r.module), '[]')
			FROM pg_catalog.jsonb_path_query(c.definition, '$.fields[*].references') AS r (module))) ORDER BY c.key)
	FROM qehs.module_catalogue AS c;
END;
COMMENT ON FUNCTION qehs.catalogue() IS 'The modules that ship with the extension, for qehs.module_install, as a JSON array of {"key","name","description","displayPrefix","states","fields","references"}; references are the modules that its fields name.';
