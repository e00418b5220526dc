-- The object store: URLs that are signed for it (extension/attachment/signed_url.h says how). The store itself is the shim's.

CREATE FUNCTION qehs.storage_sign(storage jsonb, method text, tenant text, id text, content_type text DEFAULT NULL, filename text DEFAULT NULL,
	size_bytes int8 DEFAULT NULL, sha256 text DEFAULT NULL, seconds int4 DEFAULT 300)
RETURNS text AS 'MODULE_PATHNAME', 'qehs_storage_sign'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_sign(jsonb, text, text, text, text, text, int8, text, int4) IS 'For the shim: a URL of S3 (AWS Signature Version 4, in the query) for method PUT, GET, HEAD or DELETE on an object of a tenant (slug) with this id (att_… or job_…), good for some seconds. Of PUT, content_type, size_bytes and sha256 (64 hexadecimal digits), where given, are headers that the request must have; of GET, content_type and filename are what the answer says. storage is the description of the store; of another kind than s3 gives NULL, as the shim needs no URL for its own. Raises QH400 invalid_parameter.';

CREATE FUNCTION qehs.storage_put_begin(tenant text, id text, content_type text, expires text, sha256 text, size text, signature text, body_type text,
	body_length text)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_storage_put_begin'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_put_begin(text, text, text, text, text, text, text, text, text) IS 'For the shim: whether a file may be sent to this URL of the embedded store; body_type and body_length are the header fields Content-Type and Content-Length. Gives {"size":bytes that must come,"most":bytes that may come,"sha256":what it must be}, those that matter. Raises QH403 forbidden for a URL that was not signed so, or has expired.';

CREATE FUNCTION qehs.storage_put(tenant text, id text, stored_size int8, stored_sha256 text, stored_type text DEFAULT NULL, stored_scan text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_storage_put'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_put(text, text, int8, text, text, text) IS 'For the shim: a file has been sent to an attachment of the tenant (slug) and stored: its size in bytes, its SHA-256 in hexadecimal digits, its media type as libmagic sees it, and what the scanner says, clean or infected: and a name; NULL: nobody has scanned it. The attachment is uploaded, clean, infected or, where the file is not what was announced, failed then. Gives NULL. Raises QH403 forbidden when the attachment is gone.';

CREATE FUNCTION qehs.storage_get(tenant text, id text, content_type text, expires text, filename text, signature text)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_storage_get'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_get(text, text, text, text, text, text) IS 'For the shim: which object a URL of the embedded store gives, {"tenant","id"}, with the header fields of the answer: Content-Type, and Content-Disposition (RFC 6266, RFC 8187). Raises QH403 forbidden for a URL that was not signed so, or has expired.';

CREATE FUNCTION qehs.storage_quota_set(bytes int8) RETURNS void AS 'MODULE_PATHNAME', 'qehs_storage_quota_set'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_quota_set(int8) IS 'Sets how many bytes the attachments of the current tenant may have together, from the next announcement on; NULL is any number. Raises QH400 validation_failed.';

CREATE FUNCTION qehs.storage_removed(tenant text, id text) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	DELETE FROM qehs.object_removal AS r WHERE r.tenant = storage_removed.tenant AND r.object = storage_removed.id;
END;
COMMENT ON FUNCTION qehs.storage_removed(text, text) IS 'For the shim: the object of a tenant (slug) has left the object store.';

CREATE FUNCTION qehs.storage_work(storage jsonb, batch_size int4 DEFAULT 100) RETURNS json
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.json_build_object(
		'remove', (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object('tenant', r.tenant, 'id', r.object,
				'url', qehs.storage_sign(storage, 'DELETE', r.tenant, r.object))), '[]')
			FROM (SELECT o.tenant, o.object FROM qehs.object_removal AS o ORDER BY o.tenant, o.object LIMIT batch_size) AS r),
		'look', (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object('tenant', w.slug, 'id', w.id,
				'headUrl', qehs.storage_sign(storage, 'HEAD', w.slug, w.id), 'url', qehs.storage_sign(storage, 'GET', w.slug, w.id))), '[]')
			FROM (SELECT t.slug, qehs.id_text('att_', a.id) AS id FROM qehs.tenant AS t JOIN qehs.attachment AS a ON a.tenant_id = t.id
				WHERE a.deleted_at IS NULL AND ((a.status = 'pending' AND a.wanted_at IS NOT NULL)
					OR (a.status = 'uploaded' AND (storage ->> 'scanned')::pg_catalog.bool)) LIMIT batch_size) AS w));
END;
COMMENT ON FUNCTION qehs.storage_work(jsonb, int4) IS 'For the shim: objects to remove from the store that storage describes, {"tenant","id","url"}, and objects to look at, {"tenant","id","headUrl","url"}, since somebody waits to hear of them or they have not been scanned; batch_size of each at most: {"remove":[…],"look":[…]}. Tell what became of them with storage_removed and attachment_settle. Several shims may do the same at once.';
