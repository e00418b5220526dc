/*
 * record_purge.c
 *	  qehs.record_purge: a deleted record goes for good, by hand; and qehs.tombstone_list.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/sha256.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "retention/hold.h"
#include "retention/purge.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_record_purge);
PG_FUNCTION_INFO_V1(qehs_tombstone_list);

#define MAX_REASON 1000			/* characters */

static KeptPlan select_tombstones = {
	"SELECT record_id, module_id, display_no, created_at, deleted_at, purged_at, purged_by, reason, event_id, event_count, head FROM qehs.record_tombstone"
	" WHERE tenant_id = $1 AND (purged_at, record_id) < ($2, $3) AND ($4::int4 IS NULL OR module_id = $4) AND ($5::uuid IS NULL OR record_id = $5)"
	" ORDER BY purged_at DESC, record_id DESC LIMIT 201",
	5, {INT4OID, TIMESTAMPTZOID, UUIDOID, INT4OID, UUIDOID}, NULL
};

/* The columns of select_tombstones. */
enum
{
	COLUMN_RECORD_ID = 1, COLUMN_MODULE_ID, COLUMN_DISPLAY_NO, COLUMN_CREATED_AT, COLUMN_DELETED_AT, COLUMN_PURGED_AT, COLUMN_PURGED_BY, COLUMN_REASON,
	COLUMN_EVENT_ID, COLUMN_EVENT_COUNT, COLUMN_HEAD
};

/* record_purge(id, reason) */
Datum
qehs_record_purge(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_PURGE);
	char	   *reason = argument_text(fcinfo, 1);
	Record		record;
	const ModuleDef *module;
	pg_uuid_t	id;

	record_parse_id(argument_text(fcinfo, 0), &id);
	SPI_connect();
	hold_lock(context->tenant_id, false);
	change_hold_referrers(context, &id);
	record_fetch(context, &id, RECORD_FOR_UPDATE, true, &record);
	module = record_module(context, &record);
	permission_require_disposal(context, module, "purge");
	if (reason == NULL || *reason == '\0')
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/reason", "required", "is required");
	if (pg_mbstrlen(reason) > MAX_REASON)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/reason", "maxLength", "must be at most %d characters", MAX_REASON);
	if (!record.deleted)
		problem_raise(PROBLEM_CONFLICT, "Delete it first.", "the record is not deleted");
	hold_require_none(context->tenant_id, record.module_id, &id, "purged");
	change_require_unreferred(context, &record);
	purge_record(context, module, &record, reason);
	SPI_finish();
	PG_RETURN_NULL();
}

/* What stands before a page: when the last one was purged, and which it was. */
typedef struct Position
{
	TimestampTz purged_at;
	pg_uuid_t	record_id;
} Position;

static void
write_time(StringInfo out, const char *name, uint64 row, int column)
{
	bool		isnull;

	appendStringInfo(out, ",\"%s\":", name);
	json_time(out, DatumGetTimestampTz(plan_value(row, column, &isnull)));
}

static void
write_tombstone(StringInfo out, const RequestContext *context, uint64 row)
{
	bool		isnull;
	const ModuleDef *module = module_lookup_version(context->tenant_id, DatumGetInt32(plan_value(row, COLUMN_MODULE_ID, &isnull)), 0);
	Datum		head;

	json_literal(out, "{\"recordId\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COLUMN_RECORD_ID, &isnull)), QEHS_ID_RECORD);
	json_literal(out, ",\"moduleKey\":");
	json_string(out, module->key);
	json_literal(out, ",\"displayCode\":");
	record_write_display_code(out, module, DatumGetInt64(plan_value(row, COLUMN_DISPLAY_NO, &isnull)));
	write_time(out, "createdAt", row, COLUMN_CREATED_AT);
	write_time(out, "deletedAt", row, COLUMN_DELETED_AT);
	write_time(out, "purgedAt", row, COLUMN_PURGED_AT);
	json_literal(out, ",\"purgedBy\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, COLUMN_PURGED_BY, &isnull)));
	json_literal(out, ",\"reason\":");
	json_string(out, plan_text(row, COLUMN_REASON));
	json_literal(out, ",\"eventId\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COLUMN_EVENT_ID, &isnull)), QEHS_ID_EVENT);
	json_literal(out, ",\"eventCount\":");
	json_int(out, DatumGetInt64(plan_value(row, COLUMN_EVENT_COUNT, &isnull)));
	json_literal(out, ",\"head\":");
	head = plan_value(row, COLUMN_HEAD, &isnull);
	json_string(out, sha256_hex((const uint8 *) VARDATA_ANY(DatumGetByteaPP(head))));
	appendStringInfoChar(out, '}');
}

/* Only who may audit every record of a module is told what was in it: what a record gave goes with it. */
static bool
may_read(const RequestContext *context, uint64 row)
{
	bool		isnull;
	int32		module_id = DatumGetInt32(plan_value(row, COLUMN_MODULE_ID, &isnull));

	return permission_may(context, module_lookup_version(context->tenant_id, module_id, 0), ACTION_AUDIT, NULL, NULL);
}

/* Narrow the statement to a module and a record; faults name parameters that are neither. */
static void
read_narrowing(FunctionCallInfo fcinfo, const RequestContext *context, Datum *values, char *nulls, ViolationList *faults)
{
	char	   *record = argument_text(fcinfo, 0);
	char	   *key = argument_text(fcinfo, 1);
	const ModuleDef *module = key ? module_lookup(context->tenant_id, key) : NULL;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	if (key && module == NULL)
		violation_add(faults, "?moduleKey", "not_found", "names no module");
	if (record && !id_parse(record, strlen(record), QEHS_ID_RECORD, id))
		violation_add(faults, "?recordId", "format", "must be an id");
	values[3] = Int32GetDatum(module ? module->module_id : 0);
	nulls[3] = module ? ' ' : 'n';
	values[4] = UUIDPGetDatum(id);
	nulls[4] = record ? ' ' : 'n';
}

/* tombstone_list(record_id, module_key, page_size, cursor) */
Datum
qehs_tombstone_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_AUDIT_READ);
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, 2, &faults);
	char	   *cursor = argument_text(fcinfo, 3);
	const char *binding = psprintf("%s %s", PG_ARGISNULL(0) ? "" : argument_text(fcinfo, 0), PG_ARGISNULL(1) ? "" : argument_text(fcinfo, 1));
	Position	last = {DT_NOEND, {{0}}};
	Datum		values[5] = {Int32GetDatum(context->tenant_id)};
	char		nulls[6] = "     ";
	StringInfoData out;
	char	   *next = NULL;
	uint64		rows;

	read_narrowing(fcinfo, context, values, nulls, &faults);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	if (cursor)
	{
		int			length;
		char	   *position = cursor_open(context->tenant_id, "tombstone_list", binding, cursor, &length);

		memcpy(&last, position, Min(length, (int) sizeof(last)));
	}
	values[1] = TimestampTzGetDatum(last.purged_at);
	values[2] = UUIDPGetDatum(&last.record_id);
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	rows = plan_execute(&select_tombstones, values, nulls, true, limit + 1);
	for (uint64 i = 0; i < Min(rows, (uint64) limit); i++)
	{
		bool		isnull;

		last.purged_at = DatumGetTimestampTz(plan_value(i, COLUMN_PURGED_AT, &isnull));
		last.record_id = *DatumGetUUIDP(plan_value(i, COLUMN_RECORD_ID, &isnull));
		if (!may_read(context, i))
			continue;
		if (out.data[out.len - 1] == '}')
			appendStringInfoChar(&out, ',');
		write_tombstone(&out, context, i);
	}
	SPI_finish();
	if (rows > (uint64) limit)
		next = cursor_seal(context->tenant_id, "tombstone_list", binding, (const char *) &last, sizeof(last));
	PG_RETURN_DATUM(context_answer_page(&out, context, next));
}
