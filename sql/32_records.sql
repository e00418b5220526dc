-- Records: one noun, one function per verb.

CREATE FUNCTION qehs.record_create(module_key text, payload jsonb, workflow_state text DEFAULT NULL,
	accept_language text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_create(text, jsonb, text, text) IS 'Creates a record of a module and gives it. workflow_state other than the initial one needs the action bulk.state. Needs scope records.write and action create. Raises QH400 validation_failed with all violations, QH403 forbidden, QH409 conflict for a unique value in use. accept_language is an Accept-Language value: where it prefers a language of the labels, messages start with the field''s label in it.';

CREATE FUNCTION qehs.record_get(id text)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_get(text) IS 'A record by id (rec_… or UUID) with activity (the 50 newest events), attachments and availableTransitions. Needs scope records.read and action read. Raises QH404 not_found, the same for a missing, deleted or foreign record.';

CREATE FUNCTION qehs.record_update(id text, payload jsonb, comment text DEFAULT NULL, if_match text DEFAULT NULL,
	accept_language text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_update'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_update(text, jsonb, text, text, text) IS 'Merges payload into a record (RFC 7396: null removes) and gives it; a patch that changes nothing makes no new version. if_match is an If-Match field value or a version number. Needs scope records.write and action update. Raises QH400 validation_failed, QH404 not_found, QH409 conflict, QH412 version_mismatch, QH428 precondition_required. accept_language is an Accept-Language value: where it prefers a language of the labels, messages start with the field''s label in it.';

CREATE FUNCTION qehs.record_transition(id text, transition text, payload jsonb DEFAULT NULL, comment text DEFAULT NULL,
	signature jsonb DEFAULT NULL, if_match text DEFAULT NULL, accept_language text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_transition'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_transition(text, text, jsonb, text, jsonb, text, text) IS 'Moves a record along a transition of its workflow, after merging payload, and gives it. Needs scope records.write and action read, and, of a transition that names no roles, action transition. Raises QH400 validation_failed (an unknown transition, the payload), QH403 forbidden, QH404 not_found, QH409 transition_not_allowed (state) or guard_failed with an entry for each guard that does not hold (roles, requires, when, notSameActorAs, children, comment), QH412 version_mismatch, QH428 precondition_required. accept_language is an Accept-Language value: where it prefers a language of the labels, messages start with the field''s label in it.';

CREATE FUNCTION qehs.record_delete(id text, if_match text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_delete(text, text) IS 'Soft-deletes a record: from then on it is seen by audit and activity only, and the event keeps the last payload. Gives NULL. Needs scope records.write and action delete. Raises QH404 not_found (also when deleted twice), QH412 version_mismatch, QH428 precondition_required.';

CREATE FUNCTION qehs.record_restore(id text, if_match text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_restore'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_restore(text, text) IS 'Restores a deleted record and gives it. Needs scope records.write and action delete. Raises QH404 not_found, QH409 conflict when it is not deleted or a unique value is in use by now.';

CREATE FUNCTION qehs.record_migrate(id text, definition_version int4 DEFAULT NULL, if_match text DEFAULT NULL, accept_language text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_migrate'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_migrate(text, int4, text, text) IS 'Moves a record to a newer version of its module''s definition (NULL: the current one) by the "migrate" rules of each version in between, writes a migrated event with the changes and gives the record; one that is there already stays as it is. accept_language is an Accept-Language value: where it prefers a language of the labels, messages start with the field''s label in it. Needs scope records.write and action update. Raises QH400 validation_failed with all violations, also for a version that there is not or that is older than the record''s, QH404 not_found, QH409 conflict for a unique value in use, QH412 version_mismatch, QH428 precondition_required.';

CREATE FUNCTION qehs.module_migrate(module_key text, from_version int4 DEFAULT NULL, to_version int4 DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_module_migrate'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.module_migrate(text, int4, int4) IS 'Queues a job that moves the live records of a module to to_version (NULL: the current one), those of from_version (NULL: 1) and later, as record_migrate does, a few at a time, and gives the job as job_get does. Its result is {"migrated","failed","failures":[{"id","errors"}]}: what cannot move stays as it is, and the first 100 are told with every violation; call it again after a repair. It runs with the rights of the caller. Deleted records keep their version. Needs scopes modules.write and records.write and role tenant-owner or tenant-admin. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found, QH409 conflict while another one of the module has not ended.';
