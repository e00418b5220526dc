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
COMMENT ON FUNCTION qehs.storage_put(text, text, int8, text, text, text) IS 'For the shim: a file has been sent to an attachment of the tenant (slug) and stored: its size in bytes, its SHA-256 in hexadecimal digits, its media type as libmagic sees it, and what the scanner says, clean, infected: and a name, or failed: and why it takes no such file; NULL: nobody has scanned it. The attachment is uploaded, clean, infected or, where the file is not what was announced, failed then. Gives NULL. Raises QH403 forbidden when the attachment is gone.';

CREATE FUNCTION qehs.storage_get(tenant text, id text, content_type text, expires text, filename text, signature text)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_storage_get'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_get(text, text, text, text, text, text) IS 'For the shim: which object a URL of the embedded store gives, {"tenant","id"}, with the header fields of the answer: Content-Type, and Content-Disposition (RFC 6266, RFC 8187). Raises QH403 forbidden for a URL that was not signed so, or has expired.';

CREATE FUNCTION qehs.storage_quota_set(bytes int8) RETURNS void AS 'MODULE_PATHNAME', 'qehs_storage_quota_set'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.storage_quota_set(int8) IS 'Sets how many bytes the attachments of the current tenant, and bodies that wait to be loaded, may have together, from the next announcement on; NULL is any number. Raises QH400 validation_failed.';

CREATE FUNCTION qehs.storage_work(storage jsonb, batch_size int4 DEFAULT 100) RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT qehs.job_release_input();
	SELECT pg_catalog.string_agg(pg_catalog.concat_ws(E'\t', w.what, w.tenant, w.id,
			COALESCE(qehs.storage_sign(storage, CASE w.what WHEN 'remove' THEN 'DELETE' ELSE 'HEAD' END, w.tenant, w.id), ''),
			CASE w.what WHEN 'look' THEN COALESCE(qehs.storage_sign(storage, 'GET', w.tenant, w.id), '') END), E'\n')
	FROM (
		(SELECT 'remove', o.tenant, o.object FROM qehs.object_removal AS o WHERE o.not_before <= qehs.clock_now() ORDER BY o.tenant, o.object LIMIT batch_size)
		UNION ALL
		(SELECT 'look', t.slug, qehs.id_text('att_', a.id) FROM qehs.tenant AS t JOIN qehs.attachment AS a ON a.tenant_id = t.id
			WHERE a.deleted_at IS NULL AND ((a.status = 'pending' AND a.wanted_at IS NOT NULL)
				OR (a.status = 'uploaded' AND (storage ->> 'scanned')::pg_catalog.bool)) LIMIT batch_size)) AS w (what, tenant, id);
END;
COMMENT ON FUNCTION qehs.storage_work(jsonb, int4) IS 'For the shim: what is to be done with objects of the store that storage describes, a line each, with tabs between: remove, tenant (slug), id and the URL that removes it; or look, since somebody waits to hear of it or it was not scanned yet, with the URLs to look at it and to fetch it. URLs are there for S3 only. batch_size of either at most; NULL when there is nothing. What came of it is for qehs.storage_report. Several shims may do the same at once.';

CREATE FUNCTION qehs.storage_report(report jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $report$
DECLARE
	item jsonb;
BEGIN
	FOR item IN SELECT jsonb_array_elements(report) LOOP
		IF (item ->> 'removed')::boolean THEN
			DELETE FROM qehs.object_removal AS r WHERE r.tenant = item ->> 'tenant' AND r.object = item ->> 'id';
		ELSE
			PERFORM qehs.attachment_settle(item ->> 'tenant', item ->> 'id', (item ->> 'sizeBytes')::int8, item ->> 'sha256', item ->> 'type', item ->> 'scan');
		END IF;
	END LOOP;
END
$report$;
COMMENT ON FUNCTION qehs.storage_report(jsonb) IS 'For the shim: what came of qehs.storage_work, an array of {"tenant","id"} with "removed":true, with "absent":true, or with "sizeBytes","sha256","type" and, where it was scanned, "scan", as qehs.storage_put takes them.';
