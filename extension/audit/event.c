/*
 * event.c
 *	  The values of audit events, and writing them as activity items.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/lookup.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define ACTIVITY_MOST 50		/* events */

static const char *const action_names[] = {
	[AUDIT_CREATE] = "created",
	[AUDIT_UPDATE] = "updated",
	[AUDIT_TRANSITION] = "transitioned",
	[AUDIT_DELETE] = "deleted",
	[AUDIT_RESTORE] = "restored",
	[AUDIT_MIGRATE] = "migrated",
	[AUDIT_ATTACH] = "attached",
	[AUDIT_DETACH] = "detached",
	[AUDIT_APPROVE] = "approved",
	[AUDIT_REJECT] = "rejected",
	[AUDIT_COMMENT] = "commented",
	[AUDIT_UNCOMMENT] = "comment_deleted",
	[AUDIT_ESCALATE] = "escalated",
	[AUDIT_HOLD] = "held",
	[AUDIT_PURGE] = "purged",
	[AUDIT_ERASE] = "erased",
};

static KeptPlan insert_note = {
	"INSERT INTO qehs.audit_event (tenant_id, module_id, record_id, actor_id, at, action, transition, record_version, trace_id, comment, on_behalf_of,"
	" address, signature, from_state, to_state, from_definition, to_definition, changes, reason)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::pg_catalog.inet, $13, $14, $14, $15, $15, $16, $17)",
	17, {INT4OID, INT4OID, UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, JSONBOID, TEXTOID,
	INT4OID, JSONBOID, TEXTOID}, NULL
};

/* An event of a whole module has zeros in the place of a record. */
static KeptPlan insert_export = {
	"INSERT INTO qehs.audit_event (tenant_id, module_id, actor_id, at, trace_id, address, record_id, action, record_version, changes)"
	" VALUES ($1, $2, $3, $4, $5, $6::pg_catalog.inet, $7, 'exported', 0, $8)",
	8, {INT4OID, INT4OID, UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, UUIDOID, JSONBOID}, NULL
};
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

/* One {"path","from","to"}; a NULL side is left out. */
static void
write_change(StringInfo out, const JsonbValue *key, const JsonbValue *from, const JsonbValue *to)
{
	StringInfoData path;

	if (out->data[out->len - 1] != '[')
		appendStringInfoChar(out, ',');
	initStringInfo(&path);
	appendStringInfoString(&path, "/payload");
	json_pointer_append(&path, key->val.string.val, key->val.string.len);
	json_literal(out, "{\"path\":");
	json_string(out, path.data);
	if (from)
	{
		json_literal(out, ",\"from\":");
		json_jsonb_value(out, from);
	}
	if (to)
	{
		json_literal(out, ",\"to\":");
		json_jsonb_value(out, to);
	}
	appendStringInfoChar(out, '}');
}

/* Members of left that right lacks or holds differently (or, added_only, lacks). */
static void
write_differences(StringInfo out, Jsonb *left, Jsonb *right, bool added_only)
{
	JsonbIterator *iterator = JsonbIteratorInit(&left->root);
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	other;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		bool		found;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		found = json_member(&right->root, key.val.string.val, key.val.string.len, &other);
		if (added_only)
		{
			if (!found)
				write_change(out, &key, NULL, &value);
		}
		else if (!found)
			write_change(out, &key, &value, NULL);
		else if (!json_values_equal(&value, &other))
			write_change(out, &key, &value, &other);
	}
}

/* The changes column of an event, or NULL. */
static Jsonb *
event_changes(const AuditEvent *event)
{
	StringInfoData out;

	if (event->changes)
		return event->changes;
	if (event->action == AUDIT_CREATE || event->action == AUDIT_RESTORE)
		return NULL;
	initStringInfo(&out);
	if (event->action == AUDIT_DELETE)
	{
		json_literal(&out, "{\"payload\":");
		json_jsonb(&out, event->before->payload);
		appendStringInfoChar(&out, '}');
	}
	else
	{
		appendStringInfoChar(&out, '[');
		write_differences(&out, event->before->payload, event->after->payload, false);
		write_differences(&out, event->after->payload, event->before->payload, true);
		appendStringInfoChar(&out, ']');
		if (out.len == 2)
			return NULL;
	}
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* Text as a value; NULL for NULL and for the empty text. */
static void
set_text(Datum *values, bool *nulls, int index, const char *text)
{
	nulls[index] = text == NULL || *text == '\0';
	values[index] = nulls[index] ? (Datum) 0 : CStringGetTextDatum(text);
}

void
audit_values(const AuditEvent *event, Datum *values, bool *nulls)
{
	Jsonb	   *changes = event_changes(event);

	memset(nulls, 0, sizeof(bool) * QEHS_AUDIT_COLUMN_COUNT);
	values[0] = UUIDPGetDatum(&event->after->id);
	values[1] = CStringGetTextDatum(action_names[event->action]);
	set_text(values, nulls, 2, event->before ? event->before->workflow_state : NULL);
	set_text(values, nulls, 3, event->action == AUDIT_DELETE ? NULL : event->after->workflow_state);
	set_text(values, nulls, 4, event->transition);
	values[5] = Int32GetDatum(event->after->version);
	set_text(values, nulls, 6, event->comment);
	nulls[7] = changes == NULL;
	values[7] = JsonbPGetDatum(changes);
	set_text(values, nulls, 8, event->reason);
	nulls[9] = event->signature == NULL;
	values[9] = JsonbPGetDatum(event->signature);
	nulls[10] = event->before == NULL;
	values[10] = Int32GetDatum(event->before ? event->before->definition_version : 0);
	values[11] = Int32GetDatum(event->after->definition_version);
}

void
audit_note(const RequestContext *context, const AuditNote *note)
{
	const Record *record = note->record;
	Datum		values[17] = {Int32GetDatum(context->tenant_id), Int32GetDatum(record->module_id), UUIDPGetDatum(&record->id),
		UUIDPGetDatum(&context->actor_id), TimestampTzGetDatum(clock_transaction()), CStringGetTextDatum(action_names[note->action])};
	bool		missing[17] = {false};
	char		nulls[18] = {0};

	set_text(values, missing, 6, note->transition);
	values[7] = Int32GetDatum(record->version);
	set_text(values, missing, 8, context->trace_id);
	set_text(values, missing, 9, note->comment);
	missing[10] = note->on_behalf_of == NULL;
	values[10] = UUIDPGetDatum(note->on_behalf_of);
	set_text(values, missing, 11, context->address);
	missing[12] = note->signature == NULL;
	values[12] = JsonbPGetDatum(note->signature);
	set_text(values, missing, 13, record->workflow_state);
	values[14] = Int32GetDatum(record->definition_version);
	missing[15] = note->changes == NULL;
	values[15] = JsonbPGetDatum(note->changes);
	set_text(values, missing, 16, note->reason);
	for (int i = 0; i < 17; i++)
		nulls[i] = missing[i] ? 'n' : ' ';
	plan_execute(&insert_note, values, nulls, false, 0);
}

void
audit_export(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *record_id, Jsonb *details)
{
	static const pg_uuid_t none = {{0}};
	StringInfoData changes;
	Datum		values[8] = {Int32GetDatum(context->tenant_id), Int32GetDatum(module ? module->module_id : 0), UUIDPGetDatum(&context->actor_id),
		TimestampTzGetDatum(clock_now()), CStringGetTextDatum(context->trace_id),
		context->address ? CStringGetTextDatum(context->address) : (Datum) 0,
	UUIDPGetDatum(record_id ? record_id : &none)};
	char		nulls[9] = "        ";

	nulls[4] = context->trace_id[0] ? ' ' : 'n';
	nulls[5] = context->address ? ' ' : 'n';
	initStringInfo(&changes);
	json_literal(&changes, "{\"export\":");
	json_jsonb(&changes, details);
	appendStringInfoChar(&changes, '}');
	values[7] = DirectFunctionCall1(jsonb_in, CStringGetDatum(changes.data));
	plan_execute(&insert_export, values, nulls, false, 0);
}

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
