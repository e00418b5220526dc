/*
 * event.c
 *	  Writing audit events as activity items.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/id.h"
#include "base/json.h"
#include "base/lookup.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#define ACTIVITY_MOST 50		/* events */

static KeptPlan select_decisions = {
	"SELECT " QEHS_EVENT_COLUMNS " FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2"
	" AND (signature IS NOT NULL OR action IN ('approved', 'rejected')) ORDER BY id",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_activity = {
	"SELECT " QEHS_EVENT_COLUMNS " FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 ORDER BY id DESC LIMIT 50",
	2, {INT4OID, UUIDOID}, NULL
};
/* The same without a statement. */
static KeptLookup events_of_record = {
	.table = "audit_event",.index = "audit_event_record",.key = "record_id",
	.columns = {"id", "action", "at", "actor_id", "changes", "from_state", "to_state", "transition", "comment", "from_definition", "to_definition",
	"on_behalf_of", "signature"}
};

static KeptPlan select_signatures = {
	"SELECT signature FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 AND signature IS NOT NULL ORDER BY id", 2, {INT4OID, UUIDOID}, NULL
};

static bool
has_value(const LookupRow *event, int column)
{
	return !event->nulls[column - 1];
}

static Datum
value_of(const LookupRow *event, int column)
{
	return event->values[column - 1];
}

static void
write_text_member(StringInfo out, const char *prefix, const LookupRow *event, int column)
{
	appendStringInfoString(out, prefix);
	json_string(out, has_value(event, column) ? TextDatumGetCString(value_of(event, column)) : NULL);
}

/*
 * Append one side ("from", "to") of a change, whose JSON begins at start in out, when the caller
 * may read what payloads of the version have at its path.
 */
static void
write_side(StringInfo out, int start, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
		   int32 version, const JsonbContainer *change, const char *path, const char *side)
{
	/* keys need no escapes, and one path is one top-level member */
	const char *key = path + strlen("/payload/");
	JsonbValue	value;

	if (!json_member(change, side, strlen(side), &value) || !permission_reads_key(context, module, subject, version, key, strlen(key)))
		return;
	if (out->len == start)
	{
		appendStringInfoString(out, out->data[start - 1] == '[' ? "{\"path\":" : ",{\"path\":");
		json_string(out, path);
	}
	appendStringInfo(out, ",\"%s\":", side);
	json_jsonb_value(out, &value);
}

/* The changes of an event but for what the caller may not read: each side follows the field that it was of. */
static void
write_changes(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, int32 from, int32 to,
			  Jsonb *changes)
{
	if (module == NULL || permission_reads_all(context, module))
	{
		json_jsonb(out, changes);
		return;
	}
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < JsonContainerSize(&changes->root); i++)
	{
		JsonbValue *change = getIthJsonbValueFromContainer(&changes->root, i);
		const char *path = change->type == jbvBinary ? json_member_text(change->val.binary.data, "path") : NULL;
		int			start = out->len;

		if (path == NULL || strncmp(path, "/payload/", strlen("/payload/")) != 0)
			continue;
		write_side(out, start, context, module, subject, from, change->val.binary.data, path, "from");
		write_side(out, start, context, module, subject, to, change->val.binary.data, path, "to");
		if (out->len > start)
			appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

static void
write_event(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const LookupRow *event)
{
	Jsonb	   *changes = has_value(event, EVENT_COLUMN_CHANGES) ? DatumGetJsonbP(value_of(event, EVENT_COLUMN_CHANGES)) : NULL;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(value_of(event, EVENT_COLUMN_ID)), QEHS_ID_EVENT);
	write_text_member(out, ",\"type\":", event, EVENT_COLUMN_ACTION);
	json_literal(out, ",\"at\":");
	json_time(out, DatumGetTimestampTz(value_of(event, EVENT_COLUMN_AT)));
	json_literal(out, ",\"actor\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(value_of(event, EVENT_COLUMN_ACTOR_ID)));
	json_literal(out, ",\"changes\":");
	if (changes && JB_ROOT_IS_ARRAY(changes))
		write_changes(out, context, module, subject, DatumGetInt32(value_of(event, EVENT_COLUMN_FROM_DEFINITION)),
					  DatumGetInt32(value_of(event, EVENT_COLUMN_TO_DEFINITION)), changes);
	else
		json_literal(out, "[]");
	write_text_member(out, ",\"from\":", event, EVENT_COLUMN_FROM_STATE);
	write_text_member(out, ",\"to\":", event, EVENT_COLUMN_TO_STATE);
	write_text_member(out, ",\"comment\":", event, EVENT_COLUMN_COMMENT);
	if (has_value(event, EVENT_COLUMN_ON_BEHALF_OF))
	{
		json_literal(out, ",\"onBehalfOf\":");
		context_write_actor(out, context->tenant_id, DatumGetUUIDP(value_of(event, EVENT_COLUMN_ON_BEHALF_OF)));
	}
	if (has_value(event, EVENT_COLUMN_SIGNATURE))
	{
		json_literal(out, ",\"signature\":");
		json_jsonb(out, DatumGetJsonbP(value_of(event, EVENT_COLUMN_SIGNATURE)));
	}
}

void
audit_write_item(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
				 uint64 row)
{
	LookupRow	event;

	for (int i = 0; i < QEHS_EVENT_COLUMN_COUNT; i++)
		event.values[i] = plan_value(row, i + 1, &event.nulls[i]);
	write_event(out, context, module, subject, &event);
}

/* Append the events of the record that a statement finds, count of them at most (0: all), as a member. */
static void
write_items(StringInfo out, const char *name, KeptPlan *plan, int64 count, const RequestContext *context, const ModuleDef *module,
			const Record *record)
{
	PermissionSubject subject = record_subject(record);
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id)};
	uint64		rows = plan_execute(plan, values, NULL, true, count);

	appendStringInfo(out, ",\"%s\":[", name);
	for (uint64 i = 0; i < rows; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		audit_write_item(out, context, module, &subject, i);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

void
audit_write_activity(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	PermissionSubject subject = record_subject(record);
	LookupRow	events[ACTIVITY_MOST];
	int			count = lookup_rows(&events_of_record, context->tenant_id, &record->id, BackwardScanDirection, ACTIVITY_MOST, events);

	if (count < 0)
	{
		write_items(out, "activity", &select_activity, ACTIVITY_MOST, context, module, record);
		return;
	}
	json_literal(out, ",\"activity\":[");
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		write_event(out, context, module, &subject, &events[i]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

void
audit_write_decisions(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	write_items(out, "decisions", &select_decisions, 0, context, module, record);
}

void
audit_write_signatures(StringInfo out, int32 tenant_id, const pg_uuid_t *record_id)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), UUIDPGetDatum(record_id)};
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData text;
	uint64		rows;
	bool		isnull;

	initStringInfo(&text);
	SPI_connect();
	rows = plan_execute(&select_signatures, values, NULL, true, 0);
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < rows; i++)
	{
		const JsonbContainer *signature = &DatumGetJsonbP(plan_value(i, 1, &isnull))->root;
		JsonbValue	signer;
		char	   *name = json_member(signature, "signedBy", 8, &signer) ? json_member_text(signer.val.binary.data, "displayName") : NULL;

		appendStringInfo(&text, "%s%s: %s, %s", i > 0 ? "; " : "", json_member_text(signature, "meaning"), name ? name : "",
						 json_member_text(signature, "at"));
	}
	SPI_finish();
	json_string(out, rows > 0 ? text.data : NULL);
}
