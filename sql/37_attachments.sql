-- Attachments: files of records. What the shim calls for the embedded store is in 37_storage.sql.

CREATE FUNCTION qehs.attachment_create(record_id text DEFAULT NULL, filename text DEFAULT NULL, content_type text DEFAULT NULL, size_bytes int8 DEFAULT NULL,
	sha256 text DEFAULT NULL, field text DEFAULT NULL, storage jsonb DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_attachment_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.attachment_create(text, text, text, int8, text, text, jsonb) IS 'Announces a file of a record (rec_… or UUID), or of one that is to be created and names it in a field within a day: filename of 1 to 255 characters, content_type a media type, size_bytes and sha256 (64 hexadecimal digits) what the file must have, field (photo, rows.photo) the field whose readers alone may have it. Gives {"id","uploadUrl","method","headers","expiresAt"}: send the file there within 15 minutes. storage describes the object store, as the shim has it; NULL is the embedded one, with a URL that begins with its path. Needs scope attachments.write and action update of the record, and that the caller may write the field. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found, QH503 unavailable, QH507 insufficient_storage.';

CREATE FUNCTION qehs.attachment_get(id text, redirect boolean DEFAULT NULL, storage jsonb DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_attachment_get'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.attachment_get(text, boolean, jsonb) IS 'An attachment by id (att_… or UUID): {"id","filename","contentType","sizeBytes","sha256","status","createdAt","recordId","field","downloadUrl","expiresAt"}; status is pending, uploaded, clean, infected or failed, downloadUrl, good for 5 minutes, is there once it is clean, or uploaded where nothing scans. redirect answers 302 to it over HTTP. Needs scope attachments.read, action read of the record, and that the caller may read the field; one of no record is for who announced it. Raises QH403 forbidden, QH404 not_found, QH409 conflict for a redirect to what is not given out, QH503 unavailable.';

CREATE FUNCTION qehs.attachment_delete(id text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_attachment_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.attachment_delete(text) IS 'Deletes an attachment, which no field of its record may name; its file leaves the object store 30 days later. Gives NULL. Needs scope attachments.write, action update of the record, and that the caller may write the field. Raises QH403 forbidden, QH404 not_found, QH409 conflict.';

CREATE FUNCTION qehs.attachment_settle(tenant text, id text, stored_size int8 DEFAULT NULL, stored_sha256 text DEFAULT NULL, stored_type text DEFAULT NULL,
	stored_scan text DEFAULT NULL)
RETURNS void AS 'MODULE_PATHNAME', 'qehs_attachment_settle'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.attachment_settle(text, text, int8, text, text, text) IS 'For the shim: what it has found in the object store for an attachment that is pending, or was not scanned yet; as qehs.storage_put, but nothing happens when there is none any more; stored_size NULL says that the file is not there yet.';

CREATE FUNCTION qehs.attachment_collect(batch_size int4) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $collect$
DECLARE
	now timestamptz := qehs.clock_now();
	tenant record;
	gone bigint;
	result bigint := 0;
BEGIN
	FOR tenant IN SELECT t.id, t.slug FROM qehs.tenant AS t LOOP
		-- announced a day ago, and never sent or never named by a record
		WITH old AS (
			DELETE FROM qehs.attachment AS a WHERE a.tenant_id = tenant.id AND a.id = ANY (ARRAY(
				SELECT l.id FROM qehs.attachment AS l WHERE l.tenant_id = tenant.id AND (l.record_id IS NULL OR l.status = 'pending')
					AND l.created_at < now - interval '1 day' ORDER BY l.created_at LIMIT batch_size)) AND (a.record_id IS NULL OR a.status = 'pending')
			RETURNING a.id)
		INSERT INTO qehs.object_removal (tenant, object) SELECT tenant.slug, qehs.id_text('att_', old.id) FROM old ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS gone = ROW_COUNT;
		result := result + gone;
		WITH old AS (
			UPDATE qehs.attachment AS a SET removed_at = now WHERE a.tenant_id = tenant.id AND a.removed_at IS NULL AND a.id = ANY (ARRAY(
				SELECT d.id FROM qehs.attachment AS d WHERE d.tenant_id = tenant.id AND d.deleted_at IS NOT NULL AND d.removed_at IS NULL
					AND d.deleted_at < now - interval '30 days' AND NOT EXISTS (SELECT FROM qehs.record AS r
						WHERE r.tenant_id = tenant.id AND r.id = d.record_id AND qehs.record_is_held(r.tenant_id, r.module_id, r.id))
				ORDER BY d.deleted_at LIMIT batch_size))
			RETURNING a.id)
		INSERT INTO qehs.object_removal (tenant, object) SELECT tenant.slug, qehs.id_text('att_', old.id) FROM old ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS gone = ROW_COUNT;
		result := result + gone;
	END LOOP;
	RETURN result;
END
$collect$;
COMMENT ON FUNCTION qehs.attachment_collect(int4) IS 'Has the shim remove the files of attachments that were announced a day ago and never sent or never named by a record, which are forgotten, and of those deleted 30 days ago, unless their record is under a legal hold; batch_size of each tenant and kind at most. Gives how many. tick calls it.';
