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
COMMENT ON FUNCTION qehs.record_delete(text, text) IS 'Soft-deletes a record: from then on it is seen by audit and activity only, and the event keeps the last payload. Gives NULL. Needs scope records.write and action delete. Raises QH404 not_found (also when deleted twice), QH409 conflict when its state locks it or a live record names it by a field with "onDelete":"restrict", QH412 version_mismatch, QH428 precondition_required.';

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

CREATE FUNCTION qehs.record_approve(id text, transition text, comment text DEFAULT NULL, signature jsonb DEFAULT NULL, if_match text DEFAULT NULL,
	accept_language text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_approve'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_approve(text, text, text, jsonb, text, text) IS 'Approves a transition of a record for the caller, who must be one of its approvers or have the delegation of one, and gives the record; the last approval fires the transition, before it the member approvals says what is missing. All guards must hold but roles, in whose place the approval stands. It is of the record as it stands: a change makes it void. Needs scope records.write and action read. Raises QH400 validation_failed, QH403 forbidden for a wrong credential of the signature, QH404 not_found, QH409 conflict when the caller has approved already, transition_not_allowed or guard_failed (code approvers: the caller may not approve now), QH412 version_mismatch, QH428 precondition_required, QH429 rate_limited. accept_language is an Accept-Language value: where it prefers a language of the labels, messages start with the field''s label in it.';

CREATE FUNCTION qehs.record_reject(id text, transition text, comment text DEFAULT NULL, signature jsonb DEFAULT NULL, if_match text DEFAULT NULL,
	accept_language text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_reject'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_reject(text, text, text, jsonb, text, text) IS 'Rejects a transition of a record for the caller, who must be one who may approve it now, and gives the record: the transition that the approvers name as reject is fired, whose guards must hold but for roles; where they name none the record stays and the approvals before are void. Raises as record_approve does, QH403 forbidden for who may not approve. accept_language is an Accept-Language value: where it prefers a language of the labels, messages start with the field''s label in it.';

CREATE FUNCTION qehs.record_approvals(id text)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_approvals'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_approvals(text) IS 'What the transitions that start in the state of a record and need approval still lack (pending), and the 200 newest decisions on the record (items), also those that count no more since it was changed. Needs scope records.read and action read. Raises QH404 not_found.';

CREATE FUNCTION qehs.delegation_create("to" text, starts_at timestamptz, ends_at timestamptz, "from" text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_delegation_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.delegation_create(text, timestamptz, timestamptz, text, text) IS 'Lets a user (id or name) approve in the place of another from starts_at to ends_at, and gives the delegation: in that of the caller, or, for administrators, of "from". What is approved so is told as approved by one for the other. Needs scope records.write. Raises QH400 validation_failed, QH403 forbidden.';

CREATE FUNCTION qehs.delegation_list(page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_delegation_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.delegation_list(int4, text) IS 'A page of the delegations that the caller has given or got, of administrators all, newest first, those that have ended too: {"items","nextCursor"}. page_size 1 to 200, NULL is 50. Needs scope records.read. Raises QH400 invalid_parameter or invalid_cursor, QH403 forbidden.';

CREATE FUNCTION qehs.delegation_revoke(id text)
RETURNS void AS 'MODULE_PATHNAME', 'qehs_delegation_revoke'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.delegation_revoke(text) IS 'Ends a delegation that the caller has given, an administrator any. Needs scope records.write. Raises QH404 not_found.';

CREATE FUNCTION qehs.signature_credential_set(credential text, current text DEFAULT NULL)
RETURNS void AS 'MODULE_PATHNAME', 'qehs_signature_credential_set'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.signature_credential_set(text, text) IS 'Sets the secret, of 8 to 200 characters, with which the caller, a user, signs; current is the one before, where there is one. Kept as a yescrypt hash (crypt(5)). Raises QH400 validation_failed, QH403 forbidden for a wrong one before, QH429 rate_limited after 5 wrong ones within 15 minutes.';

CREATE FUNCTION qehs.signature_credential_reset(user_name text)
RETURNS void AS 'MODULE_PATHNAME', 'qehs_signature_credential_reset'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.signature_credential_reset(text) IS 'Takes the secret for signatures from a user, who sets another then. Needs scope admin.users and role tenant-owner or tenant-admin. Raises QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.signature_failed(tenant_id int4, user_id uuid, at timestamptz)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $failed$
	UPDATE qehs.signature_credential AS s SET failures = CASE WHEN s.failed_at > $3 - interval '15 minutes' THEN s.failures ELSE 0 END + 1, failed_at = $3
	WHERE s.tenant_id = $1 AND s.user_id = $2;
$failed$;
COMMENT ON FUNCTION qehs.signature_failed(int4, uuid, timestamptz) IS 'Counts a wrong credential of a signature: called by the background worker that also writes the audit event user.signature_failed, in a transaction of its own.';
