/*
 * append.c
 *	  Appending audit events: the one INSERT into qehs.audit_event.
 *
 * An event that goes with a row is written by the row's own statement (change/row.c), which has the INSERT's text
 * from here and its values from audit_values; all others by audit_append.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/json.h"
#include "caller/context.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(qehs_audit_write);

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

static const pg_uuid_t nobody = {{0}};

static const SourceColumns columns = {AUDIT_COLUMN_COUNT, {QEHS_AUDIT_COLUMNS}};
static SourceStatement insert_event = {QEHS_AUDIT_INSERT, AUDIT_ARGUMENT_COUNT, QEHS_AUDIT_ARGUMENT_TYPES, NULL, NULL};

/* ---- what changed ---- */

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

/* ---- values ---- */

AuditHead
audit_head(const RequestContext *context, int32 module_id)
{
	AuditHead	head = {context->tenant_id, module_id, &context->actor_id, clock_transaction(), context->trace_id, context->address};

	return head;
}

void
audit_head_values(const AuditHead *head, Datum *values, char *nulls)
{
	bool		traced = head->trace_id && *head->trace_id;
	bool		addressed = head->address && *head->address;

	memset(nulls, ' ', AUDIT_ARGUMENT_COUNT);
	values[AUDIT_ARGUMENT_TENANT] = Int32GetDatum(head->tenant_id);
	values[AUDIT_ARGUMENT_MODULE] = Int32GetDatum(head->module_id);
	values[AUDIT_ARGUMENT_ACTOR] = UUIDPGetDatum(head->actor_id ? head->actor_id : &nobody);
	values[AUDIT_ARGUMENT_AT] = TimestampTzGetDatum(clock_told(head->at));
	values[AUDIT_ARGUMENT_TRACE_ID] = traced ? CStringGetTextDatum(head->trace_id) : (Datum) 0;
	nulls[AUDIT_ARGUMENT_TRACE_ID] = traced ? ' ' : 'n';
	values[AUDIT_ARGUMENT_ADDRESS] = addressed ? DirectFunctionCall1(inet_in, CStringGetDatum(head->address)) : (Datum) 0;
	nulls[AUDIT_ARGUMENT_ADDRESS] = addressed ? ' ' : 'n';
}

/* Text as a value; NULL for NULL and for the empty text. */
static void
set_text(Datum *values, bool *nulls, AuditColumn column, const char *text)
{
	nulls[column] = text == NULL || *text == '\0';
	values[column] = nulls[column] ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
set_jsonb(Datum *values, bool *nulls, AuditColumn column, Jsonb *value)
{
	nulls[column] = value == NULL;
	values[column] = JsonbPGetDatum(value);
}

static void
set_version(Datum *values, bool *nulls, AuditColumn column, int32 version)
{
	nulls[column] = version == 0;
	values[column] = Int32GetDatum(version);
}

static void
set_columns(const AuditEntry *entry, Datum *values, bool *nulls)
{
	values[AUDIT_COLUMN_RECORD] = UUIDPGetDatum(entry->record_id ? entry->record_id : &nobody);
	nulls[AUDIT_COLUMN_RECORD] = false;
	set_text(values, nulls, AUDIT_COLUMN_ACTION, entry->action);
	set_text(values, nulls, AUDIT_COLUMN_FROM_STATE, entry->from_state);
	set_text(values, nulls, AUDIT_COLUMN_TO_STATE, entry->to_state);
	set_text(values, nulls, AUDIT_COLUMN_TRANSITION, entry->transition);
	values[AUDIT_COLUMN_VERSION] = Int32GetDatum(entry->record_version);
	nulls[AUDIT_COLUMN_VERSION] = false;
	set_text(values, nulls, AUDIT_COLUMN_COMMENT, entry->comment);
	set_jsonb(values, nulls, AUDIT_COLUMN_CHANGES, entry->changes);
	set_text(values, nulls, AUDIT_COLUMN_REASON, entry->reason);
	set_jsonb(values, nulls, AUDIT_COLUMN_SIGNATURE, entry->signature);
	set_version(values, nulls, AUDIT_COLUMN_FROM_DEFINITION, entry->from_definition);
	set_version(values, nulls, AUDIT_COLUMN_TO_DEFINITION, entry->to_definition);
	nulls[AUDIT_COLUMN_ON_BEHALF_OF] = entry->on_behalf_of == NULL;
	values[AUDIT_COLUMN_ON_BEHALF_OF] = UUIDPGetDatum(entry->on_behalf_of);
}

void
audit_values(const AuditEvent *event, Datum *values, bool *nulls)
{
	AuditEntry	entry = {.record_id = &event->after->id,.action = action_names[event->action],.transition = event->transition,
		.to_state = event->action == AUDIT_DELETE ? NULL : event->after->workflow_state,.record_version = event->after->version,
		.comment = event->comment,.changes = event_changes(event),.reason = event->reason,.signature = event->signature,
	.to_definition = event->after->definition_version};

	if (event->before)
	{
		entry.from_state = event->before->workflow_state;
		entry.from_definition = event->before->definition_version;
	}
	set_columns(&entry, values, nulls);
}

/* ---- events of their own ---- */

void
audit_append(const AuditHead *head, const AuditEntry *entry)
{
	Datum		arguments[AUDIT_ARGUMENT_COUNT];
	char		argument_nulls[AUDIT_ARGUMENT_COUNT];
	Datum		values[AUDIT_COLUMN_COUNT];
	bool		nulls[AUDIT_COLUMN_COUNT];
	Source	   *source = source_begin(&columns, 1);

	audit_head_values(head, arguments, argument_nulls);
	set_columns(entry, values, nulls);
	source_put(source, values, nulls);
	source_run(source, &insert_event, arguments, argument_nulls);
	source_end(source);
}

void
audit_note(const RequestContext *context, const AuditNote *note)
{
	const Record *record = note->record;
	AuditHead	head = audit_head(context, record->module_id);
	AuditEntry	entry = {.record_id = &record->id,.action = action_names[note->action],.from_state = record->workflow_state,
		.to_state = record->workflow_state,.transition = note->transition,.record_version = record->version,.comment = note->comment,
		.changes = note->changes,.signature = note->signature,.from_definition = record->definition_version,
	.to_definition = record->definition_version,.on_behalf_of = note->on_behalf_of,.reason = note->reason};

	audit_append(&head, &entry);
}

void
audit_export(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *record_id, Jsonb *details)
{
	AuditHead	head = audit_head(context, module ? module->module_id : 0);
	AuditEntry	entry = {.record_id = record_id,.action = "exported"};
	StringInfoData changes;

	head.at = clock_now();
	initStringInfo(&changes);
	json_literal(&changes, "{\"export\":");
	json_jsonb(&changes, details);
	appendStringInfoChar(&changes, '}');
	entry.changes = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(changes.data)));
	audit_append(&head, &entry);
}

/* ---- SQL ---- */

/* The arguments of audit_write. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_SUBJECT, ARGUMENT_ACTION, ARGUMENT_CHANGES, ARGUMENT_DIRECT, ARGUMENT_MODULE, ARGUMENT_RECORD_VERSION,
	ARGUMENT_FROM_STATE, ARGUMENT_TO_STATE, ARGUMENT_FROM_DEFINITION, ARGUMENT_TO_DEFINITION
};

static void
require_arguments(FunctionCallInfo fcinfo)
{
	static const int required[] = {ARGUMENT_TENANT, ARGUMENT_SUBJECT, ARGUMENT_ACTION, ARGUMENT_DIRECT, ARGUMENT_MODULE, ARGUMENT_RECORD_VERSION};

	for (int i = 0; i < (int) lengthof(required); i++)
		if (PG_ARGISNULL(required[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("tenant, subject, action, direct, module and record version of an audit event must not be null")));
}

/* audit_write(tenant_id, subject, action, changes, direct, module_id, record_version, from_state, to_state, from_definition, to_definition) */
Datum
qehs_audit_write(PG_FUNCTION_ARGS)
{
	const RequestContext *context = context_find();
	AuditHead	head = {.at = clock_now()};
	AuditEntry	entry = {.action = argument_text(fcinfo, ARGUMENT_ACTION),.from_state = argument_text(fcinfo, ARGUMENT_FROM_STATE),
		.to_state = argument_text(fcinfo, ARGUMENT_TO_STATE),.changes = PG_ARGISNULL(ARGUMENT_CHANGES) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_CHANGES),
		.from_definition = PG_ARGISNULL(ARGUMENT_FROM_DEFINITION) ? 0 : PG_GETARG_INT32(ARGUMENT_FROM_DEFINITION),
	.to_definition = PG_ARGISNULL(ARGUMENT_TO_DEFINITION) ? 0 : PG_GETARG_INT32(ARGUMENT_TO_DEFINITION)};
	bool		acts;
	bool		direct;

	require_arguments(fcinfo);
	head.tenant_id = PG_GETARG_INT32(ARGUMENT_TENANT);
	head.module_id = PG_GETARG_INT32(ARGUMENT_MODULE);
	entry.record_id = PG_GETARG_UUID_P(ARGUMENT_SUBJECT);
	entry.record_version = PG_GETARG_INT32(ARGUMENT_RECORD_VERSION);
	direct = PG_GETARG_BOOL(ARGUMENT_DIRECT);
	acts = context && context->tenant_id == head.tenant_id;
	if (acts)
	{
		head.trace_id = context->trace_id;
		head.address = context->address;
	}
	if (acts && !direct)
		head.actor_id = &context->actor_id;
	else
		entry.reason = psprintf("%s as %s", direct ? "written by SQL" : "called", GetUserNameFromId(GetSessionUserId(), false));
	SPI_connect();
	audit_append(&head, &entry);
	SPI_finish();
	PG_RETURN_VOID();
}
