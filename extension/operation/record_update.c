/*
 * record_update.c
 *	  qehs.record_update: RFC 7396 merge, check, store, event.
 *
 * The row is locked before it is read, so of two writers the second sees what
 * the first stored; If-Match is compared after the lock.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "audit/audit.h"
#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "module/locale.h"
#include "record/record.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_record_update);

static KeptPlan update_record = {
	"UPDATE qehs.record SET workflow_state = $3, payload = $4, version = $5, updated_at = $6, updated_by = $7,"
	" deleted_at = $8, t1 = $9, t2 = $10, t3 = $11, t4 = $12, t5 = $13, t6 = $14, n1 = $15, n2 = $16, n3 = $17,"
	" n4 = $18, d1 = $19, d2 = $20, d3 = $21, d4 = $22,"
	" search = CASE WHEN $23::text IS NULL THEN NULL ELSE pg_catalog.to_tsvector('pg_catalog.simple', $23) END,"
	" definition_version = $24 WHERE tenant_id = $1 AND id = $2",
	24, {INT4OID, UUIDOID, TEXTOID, JSONBOID, INT4OID, TIMESTAMPTZOID, UUIDOID, TIMESTAMPTZOID,
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, INT4OID}, NULL
};

char *
record_search_text(const ModuleDef *module, Jsonb *payload)
{
	StringInfoData text;

	if (!module->has_searchable)
		return NULL;
	initStringInfo(&text);
	for (int i = 0; i < module->field_count; i++)
	{
		JsonbValue	value;

		if (!module->fields[i].searchable ||
			!module_field_value(&module->fields[i], payload, &value) ||
			value.type != jbvString)
			continue;
		appendBinaryStringInfo(&text, value.val.string.val, value.val.string.len);
		appendStringInfoChar(&text, '\n');
	}
	return text.data;
}

void
record_store(const RequestContext *context, const ModuleDef *module, const Record *before, Record *after)
{
	record_unique_replace(module_lookup_version(context->tenant_id, module->module_id, 0), &after->id,
						  before->deleted ? NULL : before->payload, after->deleted ? NULL : after->payload,
						  before->definition_version != after->definition_version);
	record_store_row(context, module, before, after);
}

void
record_store_row(const RequestContext *context, const ModuleDef *module, const Record *before, Record *after)
{
	Datum		values[24];
	char		nulls[24];
	RecordSlots slots;
	/* lists go by the current definition, whichever the record was written against */
	const ModuleDef *current = module_lookup_version(context->tenant_id, module->module_id, 0);
	char	   *search = after->deleted ? NULL : record_search_text(current, after->payload);

	memset(nulls, ' ', sizeof(nulls));
	after->version = before->version + 1;
	after->updated_at = Max(GetCurrentTransactionStartTimestamp(), before->updated_at);
	after->updated_by = context->actor_id;
	record_slots(current, after->payload, &slots);
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&after->id);
	values[2] = CStringGetTextDatum(after->workflow_state);
	values[3] = JsonbPGetDatum(after->payload);
	values[4] = Int32GetDatum(after->version);
	values[5] = TimestampTzGetDatum(after->updated_at);
	values[6] = UUIDPGetDatum(&after->updated_by);
	values[7] = TimestampTzGetDatum(after->deleted_at);
	nulls[7] = after->deleted ? ' ' : 'n';
	for (int i = 0; i < QEHS_SLOTS; i++)
	{
		values[8 + i] = slots.values[i];
		nulls[8 + i] = slots.isnull[i] || after->deleted ? 'n' : ' ';
	}
	values[22] = search ? CStringGetTextDatum(search) : (Datum) 0;
	nulls[22] = search ? ' ' : 'n';
	values[23] = Int32GetDatum(after->definition_version);
	plan_execute(&update_record, values, nulls, false, 0);
}

static JsonbValue *merge_into(JsonbParseState **state, const JsonbContainer *target, const JsonbContainer *patch);

/* Push one merged value under the key that was just pushed. */
static void
push_merged(JsonbParseState **state, const JsonbValue *old, JsonbValue *patch)
{
	if (patch->type == jbvBinary && JsonContainerIsObject(patch->val.binary.data))
		merge_into(state, old && old->type == jbvBinary && JsonContainerIsObject(old->val.binary.data) ?
				   old->val.binary.data : NULL, patch->val.binary.data);
	else
		pushJsonbValue(state, WJB_VALUE, patch);
}

/* Push target with patch applied: members of patch replace, null removes (RFC 7396). */
static JsonbValue *
merge_into(JsonbParseState **state, const JsonbContainer *target, const JsonbContainer *patch)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	other;

	check_stack_depth();
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	if (target)
	{
		iterator = JsonbIteratorInit(unconstify(JsonbContainer *, target));
		while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
		{
			if (token != WJB_KEY)
				continue;
			JsonbIteratorNext(&iterator, &value, true);
			if (json_member(patch, key.val.string.val, key.val.string.len, &other))
				continue;
			pushJsonbValue(state, WJB_KEY, &key);
			pushJsonbValue(state, WJB_VALUE, &value);
		}
	}
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, patch));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		bool		had;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (value.type == jbvNull)
			continue;
		had = target && json_member(target, key.val.string.val, key.val.string.len, &other);
		pushJsonbValue(state, WJB_KEY, &key);
		push_merged(state, had ? &other : NULL, &value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

Jsonb *
record_merge_patch(Jsonb *target, Jsonb *patch)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(merge_into(&state, &target->root, &patch->root));
}

/* record_update(id, payload, comment, if_match, accept_language) */
Datum
qehs_record_update(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	Record		before;
	Record		after;
	char	   *comment = argument_text(fcinfo, 2);
	AuditEvent	event = {AUDIT_UPDATE, &before, &after, NULL, comment, NULL};
	StringInfoData out;

	if (PG_ARGISNULL(1) || !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(1)))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/payload", PG_ARGISNULL(1) ? "required" : "type", "must be an object");
	json_begin(&out);
	SPI_connect();
	module = record_open(context, argument_text(fcinfo, 0), ACTION_UPDATE, argument_text(fcinfo, 3), &before);
	after = before;
	after.payload = record_check_patch(context, module, &before, PG_GETARG_JSONB_P(1), before.workflow_state,
									   &violations);
	locale_name_fields(module->definition, argument_text(fcinfo, 4), &violations);
	violation_raise(&violations);
	/* a patch that changes nothing makes no version */
	if (comment || compareJsonbContainers(&before.payload->root, &after.payload->root) != 0)
	{
		record_store(context, module, &before, &after);
		audit_append(context, module, &event);
	}
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
