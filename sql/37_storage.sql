-- The object store: URLs that are signed for it (extension/attachment/signed_url.h says how). The store itself is the shim's.

CREATE FUNCTION qehs.storage_sign(storage jsonb, method text, tenant text, id text, content_type text DEFAULT NULL, filename text DEFAULT NULL,
	size_bytes int8 DEFAULT NULL, sha256 text DEFAULT NULL, seconds int4 DEFAULT 300)
RETURNS text AS 'MODULE_PATHNAME', 'qehs_storage_sign'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_sign(jsonb, text, text, text, text, text, int8, text, int4) IS 'For the shim: a URL of S3 (AWS Signature Version 4, in the query) for method PUT, GET, HEAD or DELETE on an object of a tenant (slug) with this id (att_… or job_…), good for some seconds. Of PUT, content_type, size_bytes and sha256 (64 hexadecimal digits), where given, are headers that the request must have; of GET, content_type and filename are what the answer says. storage is the description of the store; of another kind than s3 gives NULL, as the shim needs no URL for its own. Raises QH400 invalid_parameter.';
