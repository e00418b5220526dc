/*
 * event.c
 *	  Appending audit events and writing them as activity items.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static const char *const action_names[] = {
	[AUDIT_CREATE] = "created",
	[AUDIT_UPDATE] = "updated",
	[AUDIT_TRANSITION] = "transitioned",
	[AUDIT_DELETE] = "deleted",
	[AUDIT_RESTORE] = "restored",
	[AUDIT_MIGRATE] = "migrated",
};

static KeptPlan insert_event = {
	"INSERT INTO qehs.audit_event (tenant_id, module_id, id, record_id, actor_id, at, action, from_state, to_state,"
	" transition, record_version, trace_id, comment, changes)"
	" VALUES ($1, $2, $3, $4, $5, pg_catalog.now(), $6, $7, $8, $9, $10, $11, $12, $13)",
	13, {INT4OID, INT4OID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID,
	JSONBOID}, NULL
};
static KeptPlan select_activity = {
	"SELECT " QEHS_EVENT_COLUMNS " FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 ORDER BY id DESC LIMIT 50",
	2, {INT4OID, UUIDOID}, NULL
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

	initStringInfo(&out);
	if (event->action == AUDIT_DELETE)
	{
		json_literal(&out, "{\"payload\":");
		json_jsonb(&out, event->before->payload);
		appendStringInfoChar(&out, '}');
	}
	else
	{
		if (event->after == NULL || event->action == AUDIT_RESTORE)
			return NULL;
		appendStringInfoChar(&out, '[');
		write_differences(&out, event->before->payload, event->after->payload, false);
		write_differences(&out, event->after->payload, event->before->payload, true);
		appendStringInfoChar(&out, ']');
		if (out.len == 2)
			return NULL;
	}
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* Text or NULL as an argument. */
static void
set_text(Datum *values, char *nulls, int index, const char *text)
{
	values[index] = text && *text ? CStringGetTextDatum(text) : (Datum) 0;
	nulls[index] = text && *text ? ' ' : 'n';
}

void
audit_append(const RequestContext *context, const ModuleDef *module, const AuditEvent *event)
{
	const Record *record = event->before;
	Jsonb	   *changes = event_changes(event);
	pg_uuid_t	id;
	Datum		values[13];
	char		nulls[13];

	memset(nulls, ' ', sizeof(nulls));
	id_generate(&id);
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = Int32GetDatum(module->module_id);
	values[2] = UUIDPGetDatum(&id);
	values[3] = UUIDPGetDatum(&record->id);
	values[4] = UUIDPGetDatum(&context->actor_id);
	values[5] = CStringGetTextDatum(action_names[event->action]);
	set_text(values, nulls, 6, event->before->workflow_state);
	set_text(values, nulls, 7, event->after ? event->after->workflow_state : NULL);
	set_text(values, nulls, 8, event->transition);
	values[9] = Int32GetDatum(event->after ? event->after->version : record->version + 1);
	set_text(values, nulls, 10, context->trace_id);
	set_text(values, nulls, 11, event->comment);
	values[12] = changes ? JsonbPGetDatum(changes) : (Datum) 0;
	nulls[12] = changes ? ' ' : 'n';
	plan_execute(&insert_event, values, nulls, false, 0);
}

static void
write_text_member(StringInfo out, const char *prefix, uint64 row, int column)
{
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	appendStringInfoString(out, prefix);
	json_string(out, isnull ? NULL : TextDatumGetCString(value));
}

/* The changes of an event but for those of fields that the caller may not read. */
static void
write_changes(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, Jsonb *changes)
{
	static const char prefix[] = "/payload/";

	if (module == NULL || permission_reads_all(context, module))
	{
		json_jsonb(out, changes);
		return;
	}
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < JsonContainerSize(&changes->root); i++)
	{
		JsonbValue *change = getIthJsonbValueFromContainer(&changes->root, i);
		char	   *path = change->type == jbvBinary ? json_member_text(change->val.binary.data, "path") : NULL;

		/* keys need no escapes, and one path is one top-level member */
		if (path && strncmp(path, prefix, strlen(prefix)) == 0 &&
			!permission_reads_key(context, module, subject, path + strlen(prefix), strlen(path + strlen(prefix))))
			continue;
		if (out->data[out->len - 1] != '[')
			appendStringInfoChar(out, ',');
		json_jsonb_value(out, change);
	}
	appendStringInfoChar(out, ']');
}

void
audit_write_item(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
				 uint64 row)
{
	bool		isnull;
	Datum		value;
	Jsonb	   *changes;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, 1, &isnull)), QEHS_ID_EVENT);
	write_text_member(out, ",\"type\":", row, 2);
	json_literal(out, ",\"at\":");
	json_time(out, DatumGetTimestampTz(plan_value(row, 3, &isnull)));
	json_literal(out, ",\"actor\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, 4, &isnull)));
	json_literal(out, ",\"changes\":");
	value = plan_value(row, 5, &isnull);
	changes = isnull ? NULL : DatumGetJsonbP(value);
	if (changes && JB_ROOT_IS_ARRAY(changes))
		write_changes(out, context, module, subject, changes);
	else
		json_literal(out, "[]");
	write_text_member(out, ",\"from\":", row, 6);
	write_text_member(out, ",\"to\":", row, 7);
	write_text_member(out, ",\"comment\":", row, 9);
}

void
audit_write_activity(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	PermissionSubject subject = record_subject(record);
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id)};
	uint64		rows = plan_execute(&select_activity, values, NULL, true, 50);

	json_literal(out, ",\"activity\":[");
	for (uint64 i = 0; i < rows; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		audit_write_item(out, context, module, &subject, i);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}
