/*
 * purge.c
 *	  What goes with a record, and the tombstone that stays.
 *
 * Objects in the store are queued for the shim to remove, as those are that nobody
 * named.
 */
#include "base/compat.h"

#include "audit/retire.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "retention/copies.h"
#include "retention/purge.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define OF_RECORD " WHERE tenant_id = $1 AND record_id = $2"

/* Everything but the row itself; the places of links are held (change_hold_referrers). */
static KeptPlan purge_parts = {
	"WITH u AS (DELETE FROM qehs.record_unique" OF_RECORD "), c AS (DELETE FROM qehs.record_comment" OF_RECORD "),"
	" t AS (DELETE FROM qehs.record_timer" OF_RECORD "), a AS (DELETE FROM qehs.approval" OF_RECORD "),"
	" o AS (DELETE FROM qehs.outbox" OF_RECORD "), h AS (DELETE FROM qehs.legal_hold_record" OF_RECORD "),"
	" s AS (DELETE FROM qehs.record_link WHERE tenant_id = $1 AND source_id = $2),"
	" g AS (DELETE FROM qehs.record_link WHERE tenant_id = $1 AND target_id = $2),"
	" f AS (DELETE FROM qehs.attachment" OF_RECORD " RETURNING id, removed_at)"
	" INSERT INTO qehs.object_removal (tenant, object) SELECT n.slug, qehs.id_text('att_', f.id) FROM f JOIN qehs.tenant AS n ON n.id = $1"
	" WHERE f.removed_at IS NULL ON CONFLICT DO NOTHING",
	2, {INT4OID, UUIDOID}, NULL
};
/* Key figures are counted from the events, of which those of its deletion may not be yet. */
static KeptPlan forget_stays = {"SELECT qehs.report_stays_forget($1, $2)", 2, {INT4OID, UUIDOID}, NULL};
static KeptPlan delete_row = {"DELETE FROM qehs.record WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL};
static KeptPlan insert_tombstone = {
	"INSERT INTO qehs.record_tombstone (tenant_id, record_id, module_id, display_no, created_at, deleted_at, purged_at, purged_by, reason, event_id,"
	" event_count, head) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
	12, {INT4OID, UUIDOID, INT4OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, TEXTOID, UUIDOID, INT8OID, BYTEAOID}, NULL
};

static void
store_tombstone(const RequestContext *context, const Record *record, TimestampTz now, const char *reason, const RetiredEvents *retired)
{
	bytea	   *head = palloc(VARHDRSZ + QEHS_SHA256_LENGTH);
	Datum		values[12] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id), Int32GetDatum(record->module_id),
		Int64GetDatum(record->display_no), TimestampTzGetDatum(record->created_at), TimestampTzGetDatum(record->deleted_at), TimestampTzGetDatum(now),
		UUIDPGetDatum(&context->actor_id), CStringGetTextDatum(reason), UUIDPGetDatum(&retired->last), Int64GetDatum(retired->count),
	PointerGetDatum(head)};

	SET_VARSIZE(head, VARHDRSZ + QEHS_SHA256_LENGTH);
	memcpy(VARDATA(head), retired->head, QEHS_SHA256_LENGTH);
	plan_execute(&insert_tombstone, values, NULL, false, 0);
}

/* The event that stays says which record it was, by what people called it. */
static void
note_purge(const RequestContext *context, const ModuleDef *module, const Record *record, const char *reason)
{
	StringInfoData changes;
	AuditNote	note = {.action = AUDIT_PURGE, .record = record, .reason = reason};

	initStringInfo(&changes);
	json_literal(&changes, "[{\"path\":\"/displayCode\",\"from\":");
	record_write_display_code(&changes, module, record->display_no);
	json_literal(&changes, "}]");
	note.changes = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(changes.data)));
	audit_note(context, &note);
}

void
purge_record(const RequestContext *context, const ModuleDef *module, const Record *record, const char *reason)
{
	TimestampTz now = clock_transaction();
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id)};
	RetiredEvents retired;

	note_purge(context, module, record, reason);
	plan_execute(&forget_stays, values, NULL, false, 0);
	retire_events(context->tenant_id, &record->id, now, &retired);
	store_tombstone(context, record, now, reason, &retired);
	plan_execute(&purge_parts, values, NULL, false, 0);
	plan_execute(&delete_row, values, NULL, false, 0);
	/* answers are kept for a day, and hold the record where it was changed since */
	if (record->updated_at > now - USECS_PER_DAY)
		copies_forget_answers(context->tenant_id, &record->id, QEHS_ID_RECORD);
}
