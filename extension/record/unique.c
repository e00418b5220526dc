/*
 * unique.c
 *	  Values of unique fields, in qehs.record_unique.
 *
 * INSERT … ON CONFLICT DO NOTHING waits for a twin in flight and then tells by
 * its row count, so no subtransaction is needed.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "json.h"
#include "plan.h"
#include "record/record.h"
#include "utils/builtins.h"

static KeptPlan insert_value = {
	"INSERT INTO qehs.record_unique (tenant_id, module_id, field, value, record_id) VALUES ($1, $2, $3, $4, $5)"
	" ON CONFLICT DO NOTHING",
	5, {INT4OID, INT4OID, TEXTOID, TEXTOID, UUIDOID}, NULL
};
static KeptPlan delete_value = {
	"DELETE FROM qehs.record_unique WHERE tenant_id = $1 AND module_id = $2 AND field = $3 AND value = $4 AND record_id = $5",
	5, {INT4OID, INT4OID, TEXTOID, TEXTOID, UUIDOID}, NULL
};

char *
record_unique_text(const ModuleField *field, Jsonb *payload)
{
	JsonbValue	value;
	StringInfoData text;

	if (payload == NULL || !json_member(&payload->root, field->key, field->key_length, &value) || value.type == jbvNull)
		return NULL;
	if (value.type == jbvString)
		return json_text_copy(&value);
	initStringInfo(&text);
	json_jsonb_value(&text, &value);
	return text.data;
}

/* Run a statement for the values of one payload that the other lacks; stops where it touches no row. */
static const ModuleField *
for_each_difference(KeptPlan *plan, const RequestContext *context, const ModuleDef *module, const pg_uuid_t *id,
					Jsonb *payload, Jsonb *other, const ModuleField *end)
{
	for (int i = 0; module->has_unique && i < module->field_count && &module->fields[i] != end; i++)
	{
		const ModuleField *field = &module->fields[i];
		char	   *text = field->unique ? record_unique_text(field, payload) : NULL;
		char	   *other_text = text ? record_unique_text(field, other) : NULL;
		Datum		values[5] = {Int32GetDatum(context->tenant_id), Int32GetDatum(module->module_id)};

		if (text == NULL || (other_text && strcmp(text, other_text) == 0))
			continue;
		values[2] = CStringGetTextDatum(field->key);
		values[3] = CStringGetTextDatum(text);
		values[4] = UUIDPGetDatum(id);
		if (plan_execute(plan, values, NULL, false, 0) == 0 && plan == &insert_value)
			return field;
	}
	return NULL;
}

const ModuleField *
record_unique_try(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *id, Jsonb *before, Jsonb *after)
{
	const ModuleField *conflict = for_each_difference(&insert_value, context, module, id, after, before, NULL);

	/* give up what is no longer wanted: the old values, or the new ones taken so far */
	if (conflict)
		for_each_difference(&delete_value, context, module, id, after, before, conflict);
	else
		for_each_difference(&delete_value, context, module, id, before, after, NULL);
	return conflict;
}

void
record_unique_replace(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *id,
					  Jsonb *before, Jsonb *after)
{
	const ModuleField *conflict = record_unique_try(context, module, id, before, after);

	if (conflict)
		problem_raise_at(PROBLEM_CONFLICT, psprintf("/payload/%s", conflict->key), "unique",
						 "is used by another record");
}
