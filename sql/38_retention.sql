-- Retention and disposition of records: legal holds, purges and what is left of them (extension/retention).

CREATE FUNCTION qehs.legal_hold_covers(hold qehs.legal_hold, module_id int4, record_id uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN (hold).of_records
	THEN EXISTS (SELECT FROM qehs.legal_hold_record AS r WHERE r.tenant_id = (hold).tenant_id AND r.record_id = legal_hold_covers.record_id AND r.hold_id = (hold).id)
	ELSE COALESCE((hold).module_id = legal_hold_covers.module_id, true) END;
COMMENT ON FUNCTION qehs.legal_hold_covers(qehs.legal_hold, int4, uuid) IS 'Whether a hold of the tenant is over a record of the module, released or not.';

CREATE FUNCTION qehs.record_is_held(tenant_id int4, module_id int4, record_id uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM qehs.legal_hold AS h WHERE h.tenant_id = record_is_held.tenant_id AND h.released_at IS NULL
	AND qehs.legal_hold_covers(h, record_is_held.module_id, record_is_held.record_id));
COMMENT ON FUNCTION qehs.record_is_held(int4, int4, uuid) IS 'Whether a record is under a legal hold that is not released: then nobody deletes, purges or erases it. Every door asks this.';

CREATE FUNCTION qehs.held_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $held$
BEGIN
	IF qehs.record_is_held(OLD.tenant_id, OLD.module_id, OLD.id) THEN
		RAISE EXCEPTION 'the record is under a legal hold' USING ERRCODE = 'QH409', CONSTRAINT = 'conflict',
			HINT = 'Release the hold first with qehs.legal_hold_release.';
	END IF;
	RETURN OLD;
END
$held$;
COMMENT ON FUNCTION qehs.held_stays() IS 'Trigger of qehs.record for rows that are deleted past the functions of the extension, which ask themselves: refuses one under a legal hold with QH409 conflict.';
CREATE TRIGGER held BEFORE DELETE ON qehs.record FOR EACH ROW WHEN (CURRENT_USER <> 'qehs_owner') EXECUTE FUNCTION qehs.held_stays();

CREATE FUNCTION qehs.legal_hold_create(reason text, record_ids text[] DEFAULT NULL, module_key text DEFAULT NULL, filter jsonb DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_legal_hold_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.legal_hold_create(text, text[], text, jsonb) IS 'Places a legal hold for a reason of 1 to 1000 characters: on record_ids (1 to 1000 of any module, deleted ones too), on the records of a module that filter finds now (deleted ones too, as record_list takes filters), on a module as a whole, or, without either, on the whole tenant, with what comes later. What is held is neither deleted nor purged nor erased until the hold is released; retention passes it over. Gives {"id","of","moduleKey","filter","recordCount","reason","createdAt","createdBy","releasedAt","releasedBy","releaseReason"}, of being records, module or tenant. Needs scope holds.write and action hold of the records, for the whole tenant role tenant-owner or tenant-admin. Raises QH400 validation_failed, QH403 forbidden.';

CREATE FUNCTION qehs.legal_hold_list(page_size int4 DEFAULT NULL, cursor text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_legal_hold_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.legal_hold_list(int4, text) IS 'A page of the legal holds that the caller has placed or could place, newest first, released ones too. page_size is 1 to 200, default 50; a page may have fewer. Needs scope holds.write. Raises QH400 invalid_parameter, invalid_cursor.';

CREATE FUNCTION qehs.legal_hold_get(id text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_legal_hold_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.legal_hold_get(text) IS 'A legal hold by id (hld_… or UUID), as legal_hold_create gives it. Needs scope holds.write. Raises QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.legal_hold_release(id text, reason text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_legal_hold_release'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.legal_hold_release(text, text) IS 'Releases a legal hold that the caller has placed or could place, for a reason of 1 to 1000 characters, and gives it. It stays in the list. Needs scope holds.write. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found, QH409 conflict when it is released already.';

CREATE FUNCTION qehs.record_purge(id text, reason text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_purge'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_purge(text, text) IS 'Purges a deleted record, for a reason of 1 to 1000 characters: its row, comments, links, approvals, attachments with their files and its audit events go for good; the digests of those stay, so that audit_verify and proofs of others hold, with the event purged and a tombstone (tombstone_list). Records that name it keep its id, which is of nothing then. Gives NULL. Needs scope records.purge and role tenant-owner or tenant-admin. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found, QH409 conflict when it is not deleted, under a legal hold, or named by a live record in a field with "onDelete":"restrict".';

CREATE FUNCTION qehs.record_erase(id text, reason text, fields text[] DEFAULT NULL, comments boolean DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_erase'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_erase(text, text, text[], boolean) IS 'Erases values of a record, deleted or not, for a reason of 1 to 1000 characters: those of fields (keys of the current definition; without it those with "personalData") in the record, its search text and indexes, every audit event before (the commitments of the values stay, so that audit_verify holds), the files of the fields, the outbox, kept answers of retries and files of exports of the module; with comments the texts of all comments on it as well. The event erased names the fields. Required fields stay empty until the next change fills them; what is computed from an erased field keeps its value unless it is named too. Gives NULL. Needs scope records.purge and role tenant-owner or tenant-admin. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found, QH409 conflict under a legal hold.';

CREATE FUNCTION qehs.user_erase(user_name text, reason text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_user_erase'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.user_erase(text, text) IS 'Erases what is known of a user of the current tenant, by name or id (usr_… or UUID), deleted or not: names, e-mail and other attributes, roles, secret for signatures, all values in the audit events of the account, reasons of delegations to and by it, names of its API keys, kept answers of retries and files of exports in which it stands; the keys are revoked. What the user did stays, told as done by "Erased user" under the same id; so do signatures as they were printed and addresses of requests, which the audit trail is for. Values of records, texts of comments, comments and reasons of transitions and arguments of jobs that name the user are not looked for: record_erase erases those of a record. The event user.erased has the reason, of 1 to 1000 characters. Gives NULL. Needs scope admin.users with a key for all modules, and role tenant-owner or tenant-admin. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found, QH409 conflict while the whole tenant is under a legal hold.';

CREATE FUNCTION qehs.tombstone_list(record_id text DEFAULT NULL, module_key text DEFAULT NULL, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL) RETURNS json
AS 'MODULE_PATHNAME', 'qehs_tombstone_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tombstone_list(text, text, int4, text) IS 'A page of what is left of purged records, newest first, of a record or of a module where they are named: {"recordId","moduleKey","displayCode","createdAt","deletedAt","purgedAt","purgedBy","reason","eventId","eventCount","head"}; eventId is the audit event purged, head the digest of the event before it. page_size is 1 to 200, default 50; a page may have fewer. Needs scope audit.read and the right to audit all records of the module. Raises QH400 invalid_parameter, invalid_cursor.';

CREATE FUNCTION qehs.retention_due() RETURNS bigint AS 'MODULE_PATHNAME', 'qehs_retention_due'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.retention_due() IS 'Queues a job retention for each module whose definition has "retention", once a day: it deletes and purges the records that have been kept as long as that says, and counts those that a legal hold or another record keeps. Gives how many were queued. tick calls it.';
