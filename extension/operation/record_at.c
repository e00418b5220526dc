/*
 * record_at.c
 *	  qehs.record_at: a record as it was at a time.
 *
 * It is what stands now with every event undone that came later, newest first.
 * Later is every event from the first on whose time is past the asked one: times of
 * transactions that waited for each other need not rise with their order.  Who may
 * read the record now may read it, each field by the rules of the current definition.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "workflow/timer.h"

PG_FUNCTION_INFO_V1(qehs_record_at);

static KeptPlan select_later = {
	"SELECT action, changes, from_state, from_definition FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 AND id >="
	" (SELECT f.id FROM qehs.audit_event AS f WHERE f.tenant_id = $1 AND f.record_id = $2 AND f.at > $3 ORDER BY f.id LIMIT 1) ORDER BY id DESC",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};
/* The columns of select_later. */
enum
{
	COLUMN_LATER_ACTION = 1, COLUMN_LATER_CHANGES, COLUMN_LATER_FROM_STATE, COLUMN_LATER_FROM_DEFINITION
};
/* Of what is not undone the event that made the newest version: comments, approvals and files change none. */
static KeptPlan select_newest = {
	"SELECT record_version, at, actor_id FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 AND NOT EXISTS"
	" (SELECT FROM qehs.audit_event AS f WHERE f.tenant_id = $1 AND f.record_id = $2 AND f.at > $3 AND f.id <= audit_event.id)"
	" ORDER BY record_version DESC, id LIMIT 1",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};
/* The columns of select_newest. */
enum
{
	COLUMN_NEWEST_RECORD_VERSION = 1, COLUMN_NEWEST_AT, COLUMN_NEWEST_ACTOR_ID
};

/* When it entered its state, of what is not undone. */
static KeptPlan select_entered = {
	"SELECT at FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 AND action IN ('transitioned', 'restored') AND NOT EXISTS"
	" (SELECT FROM qehs.audit_event AS f WHERE f.tenant_id = $1 AND f.record_id = $2 AND f.at > $3 AND f.id <= audit_event.id) ORDER BY id DESC LIMIT 1",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};

/* Put back one member of the payload: its value before, or none. */
static void
undo_change(Record *record, const JsonbContainer *change)
{
	const char *path = json_member_text(change, "path");
	const char *key;
	JsonbValue	from;

	if (path == NULL || strncmp(path, "/payload/", strlen("/payload/")) != 0)
		return;
	/* keys need no escapes, and one path is one top-level member */
	key = path + strlen("/payload/");
	/* null is what is left of a value that was erased */
	if (json_member(change, "from", 4, &from) && from.type != jbvNull)
		record->payload = json_with_member(record->payload, key, strlen(key), &from);
	else
		record->payload = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(record->payload), CStringGetTextDatum(key)));
}

/* Undo the event of a row of select_later; false for the one that made the record. */
static bool
undo_event(uint64 row, Record *record)
{
	char	   *action = plan_text(row, COLUMN_LATER_ACTION);
	char	   *state = plan_text(row, COLUMN_LATER_FROM_STATE);
	bool		isnull;
	Datum		value;

	if (strcmp(action, "created") == 0 || strcmp(action, "inserted") == 0)
		return false;
	if (strcmp(action, "deleted") == 0)
		record->deleted = false;
	else if (strcmp(action, "restored") == 0)
		record->deleted = true;
	if (state)
		record->workflow_state = state;
	value = plan_value(row, COLUMN_LATER_FROM_DEFINITION, &isnull);
	if (!isnull)
		record->definition_version = DatumGetInt32(value);
	value = plan_value(row, COLUMN_LATER_CHANGES, &isnull);
	if (!isnull && JB_ROOT_IS_ARRAY(DatumGetJsonbP(value)))
	{
		Jsonb	   *changes = DatumGetJsonbP(value);

		for (uint32 i = 0; i < JB_ROOT_COUNT(changes); i++)
		{
			JsonbValue *change = getIthJsonbValueFromContainer(&changes->root, i);

			if (change->type == jbvBinary && JsonContainerIsObject(change->val.binary.data))
				undo_change(record, change->val.binary.data);
		}
	}
	return true;
}

/* When the record was due then: by its definition of then, in the calendar of now, as due dates follow from both. */
static void
rewind_due(const RequestContext *context, Datum *values, Record *record)
{
	const ModuleDef *module = record_module(context, record);
	TimerPlan	plan;
	bool		isnull;

	record->has_due = false;
	if (record->deleted || !module->has_timers)
		return;
	plan = timer_plan(module, record, plan_execute(&select_entered, values, NULL, true, 1) == 1 ? DatumGetTimestampTz(plan_value(0, 1, &isnull)) :
					  record->created_at);
	record->has_due = plan.has_due;
	record->due_at = plan.due_at;
}

/* Turn the record into what it was; false when it was not there yet.  Inside SPI. */
static bool
rewind_record(const RequestContext *context, TimestampTz time, Record *record)
{
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id), TimestampTzGetDatum(time)};
	uint64		rows = plan_execute(&select_later, values, NULL, true, 0);
	bool		isnull;

	for (uint64 i = 0; i < rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!undo_event(i, record))
			return false;
	}
	if (rows == 0)
		return record->created_at <= time;
	if (plan_execute(&select_newest, values, NULL, true, 1) == 0)
		return false;
	record->version = DatumGetInt32(plan_value(0, COLUMN_NEWEST_RECORD_VERSION, &isnull));
	record->updated_at = DatumGetTimestampTz(plan_value(0, COLUMN_NEWEST_AT, &isnull));
	record->updated_by = *DatumGetUUIDP(plan_value(0, COLUMN_NEWEST_ACTOR_ID, &isnull));
	record->deleted_at = record->updated_at;
	rewind_due(context, values, record);
	return true;
}

/* The arguments of qehs.record_at. */
enum
{
	ARGUMENT_ID, ARGUMENT_AT_TIME
};

/* record_at(id, time) */
Datum
qehs_record_at(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	bool		audits = (context->scopes & SCOPE_AUDIT_READ) != 0;
	ViolationList faults = {0};
	TimestampTz time;
	Record		record;
	pg_uuid_t	id;
	StringInfoData out;

	if (!argument_bound(argument_text(fcinfo, ARGUMENT_AT_TIME), true, "?time", &time, &faults))
		violation_add(&faults, "?time", "required", "is required");
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	record_parse_id(argument_text(fcinfo, ARGUMENT_ID), &id);
	json_begin(&out);
	SPI_connect();
	record_fetch(context, &id, RECORD_READ, audits, &record);
	record_require(context, record_module(context, &record), ACTION_READ, &record);
	if (!rewind_record(context, time, &record) || (record.deleted && !audits))
		record_not_found();
	record_write_json(&out, context, record_module(context, &record), &record, false);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}
