/*
 * record_erase.c
 *	  qehs.record_erase: values of fields go from a record and from everything that is kept of it; an event says which,
 *	  by whom and why.
 *
 * The record is not checked by its definition: a required field that was erased must be filled again
 * by the next change that a person makes.
 */
#include "base/compat.h"

#include "audit/erase.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "retention/copies.h"
#include "retention/hold.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* The arguments of qehs.record_erase. */
enum
{
	ARGUMENT_ID, ARGUMENT_REASON, ARGUMENT_FIELDS, ARGUMENT_COMMENTS
};

PG_FUNCTION_INFO_V1(qehs_record_erase);

#define MAX_REASON 1000			/* characters */

static KeptPlan erase_comments = {
	"UPDATE qehs.record_comment SET body = NULL, mentions = '{}', deleted_at = COALESCE(deleted_at, $3), deleted_by = COALESCE(deleted_by, $4)"
	" WHERE tenant_id = $1 AND record_id = $2",
	4, {INT4OID, UUIDOID, TIMESTAMPTZOID, UUIDOID}, NULL
};
static KeptPlan delete_outbox = {"DELETE FROM qehs.outbox WHERE tenant_id = $1 AND record_id = $2", 2, {INT4OID, UUIDOID}, NULL};
/* $3: keys of fields; a file of a row has "rows.photo" */
static KeptPlan delete_files = {
	"WITH gone AS (DELETE FROM qehs.attachment WHERE tenant_id = $1 AND record_id = $2 AND pg_catalog.split_part(field, '.', 1) = ANY ($3)"
	" RETURNING id, removed_at)"
	" INSERT INTO qehs.object_removal (tenant, object) SELECT t.slug, qehs.id_text('att_', g.id) FROM gone AS g JOIN qehs.tenant AS t ON t.id = $1"
	" WHERE g.removed_at IS NULL ON CONFLICT DO NOTHING",
	3, {INT4OID, UUIDOID, TEXTARRAYOID}, NULL
};

/* What is erased. */
typedef struct Erasure
{
	const ModuleDef *current;
	int			count;
	const ModuleField **fields; /* of current */
	bool		comments;
} Erasure;

static bool
has_field(const Erasure *erasure, const ModuleField *field)
{
	for (int i = 0; i < erasure->count; i++)
		if (erasure->fields[i] == field)
			return true;
	return false;
}

/* Whether a value of an event is one of a field that is erased, under whichever key its version had it, or of a comment. */
static bool
wants(void *owner, const ErasableEvent *event, const char *label)
{
	static const char root[] = "/payload/";
	const Erasure *erasure = owner;
	const char *key = label + strlen(root);
	const char *side = strrchr(label, ' ');
	const ModuleField *field;
	int32		version;

	if (strcmp(label, "comment") == 0)
		return erasure->comments && (strcmp(event->action, "commented") == 0 || strcmp(event->action, "comment_deleted") == 0);
	if (strncmp(label, root, strlen(root)) != 0 || side == NULL)
		return false;
	version = strcmp(side, " from") == 0 ? event->from_definition : event->to_definition;
	field = module_field_of(erasure->current, version, key, (int) (side - key));
	return field && has_field(erasure, field);
}

/* The fields that are named, or else those that are personal data. */
static void
read_fields(FunctionCallInfo fcinfo, Erasure *erasure, ViolationList *faults)
{
	const ModuleDef *current = erasure->current;
	Datum	   *names;
	bool	   *nulls;
	int			count;

	erasure->comments = !PG_ARGISNULL(ARGUMENT_COMMENTS) && PG_GETARG_BOOL(ARGUMENT_COMMENTS);
	if (PG_ARGISNULL(ARGUMENT_FIELDS))
	{
		erasure->fields = palloc(sizeof(ModuleField *) * Max(current->field_count, 1));
		for (int i = 0; i < current->field_count; i++)
			if (current->fields[i].personal)
				erasure->fields[erasure->count++] = &current->fields[i];
		if (erasure->count == 0 && !erasure->comments)
			violation_add(faults, "/fields", "required", "is required of a module that has no field with \"personalData\"");
		return;
	}
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARGUMENT_FIELDS), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
	erasure->fields = palloc(sizeof(ModuleField *) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		char	   *name = nulls[i] ? pstrdup("") : TextDatumGetCString(names[i]);
		const ModuleField *field = module_field(current, name, strlen(name));

		if (field == NULL)
			violation_add(faults, psprintf("/fields/%d", i), "undefined", "is not a field of module \"%s\"", current->key);
		else if (!has_field(erasure, field))
			erasure->fields[erasure->count++] = field;
	}
	if (count == 0 && !erasure->comments)
		violation_add(faults, "/fields", "minItems", "must list at least one field");
}

/* The record without the fields, by the door that all changes take; its event names the fields and no value. */
static void
change_record(const RequestContext *context, const Erasure *erasure, const Record *before, const char *reason)
{
	Record		after = *before;
	Change		change = change_make(AUDIT_ERASE, before, &after);
	StringInfoData changes;

	initStringInfo(&changes);
	appendStringInfoChar(&changes, '[');
	for (int i = 0; i < erasure->count; i++)
	{
		const char *key = module_field_key(erasure->fields[i], before->definition_version);

		if (key)
			after.payload = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(after.payload), CStringGetTextDatum(key)));
		appendStringInfo(&changes, "%s{\"path\":\"/payload/%s\"}", i > 0 ? "," : "", erasure->fields[i]->key);
	}
	if (erasure->comments)
		appendStringInfo(&changes, "%s{\"path\":\"/comments\"}", erasure->count > 0 ? "," : "");
	appendStringInfoChar(&changes, ']');
	change.event.changes = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(changes.data)));
	change.event.reason = reason;
	record_apply_one(context, &change);
}

/* Files of the fields, what waits in the outbox, comments, answers and exports. */
static void
erase_beside(const RequestContext *context, const Erasure *erasure, const Record *record)
{
	Datum	   *keys;
	int			count = 0;
	Datum		values[4] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id), TimestampTzGetDatum(clock_transaction()),
	UUIDPGetDatum(&context->actor_id)};

	if (erasure->comments)
		plan_execute(&erase_comments, values, NULL, false, 0);
	plan_execute(&delete_outbox, values, NULL, false, 0);
	for (int i = 0; i < erasure->count; i++)
		count += 1 + erasure->fields[i]->former_count;
	keys = palloc(sizeof(Datum) * Max(count, 1));
	count = 0;
	for (int i = 0; i < erasure->count; i++)
	{
		keys[count++] = CStringGetTextDatum(erasure->fields[i]->key);
		for (int j = 0; j < erasure->fields[i]->former_count; j++)
			keys[count++] = CStringGetTextDatum(erasure->fields[i]->former[j].key);
	}
	values[2] = PointerGetDatum(construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT));
	plan_execute(&delete_files, values, NULL, false, 0);
	copies_forget_answers(context->tenant_id, &record->id, QEHS_ID_RECORD);
	copies_forget_exports(context->tenant_id, erasure->current->key);
}

/* record_erase(id, reason, fields, comments) */
Datum
qehs_record_erase(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_PURGE);
	char	   *reason = argument_text(fcinfo, ARGUMENT_REASON);
	ViolationList faults = {0};
	Erasure		erasure = {NULL};
	Record		record;
	pg_uuid_t	id;

	record_parse_id(argument_text(fcinfo, ARGUMENT_ID), &id);
	SPI_connect();
	hold_lock(context->tenant_id, false);
	record_fetch(context, &id, RECORD_FOR_UPDATE, true, &record);
	erasure.current = record_module_version(context, &record, 0);
	permission_require_disposal(context, erasure.current, "erase values of");
	if (reason == NULL || *reason == '\0')
		violation_add(&faults, "/reason", "required", "is required");
	else if (pg_mbstrlen(reason) > MAX_REASON)
		violation_add(&faults, "/reason", "maxLength", "must be at most %d characters", MAX_REASON);
	read_fields(fcinfo, &erasure, &faults);
	violation_raise(&faults);
	hold_require_none(context->tenant_id, record.module_id, &id, "erased");
	change_record(context, &erasure, &record, reason);
	erase_values(context->tenant_id, &id, wants, &erasure);
	erase_beside(context, &erasure, &record);
	SPI_finish();
	PG_RETURN_NULL();
}
