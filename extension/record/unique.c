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
	"DELETE FROM qehs.record_unique WHERE tenant_id = $1 AND module_id = $2 AND field = $3 AND record_id = $4",
	4, {INT4OID, INT4OID, TEXTOID, UUIDOID}, NULL
};

/* The field's value as text; NULL when the payload has none. */
static char *
unique_text(const ModuleField *field, Jsonb *payload)
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

void
record_unique_replace(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *id,
					  Jsonb *before, Jsonb *after)
{
	for (int i = 0; module->has_unique && i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		char	   *old_text;
		char	   *new_text;
		Datum		values[5] = {Int32GetDatum(context->tenant_id), Int32GetDatum(module->module_id),
		CStringGetTextDatum(field->key)};

		if (!field->unique)
			continue;
		old_text = unique_text(field, before);
		new_text = unique_text(field, after);
		if (old_text && new_text && strcmp(old_text, new_text) == 0)
			continue;
		if (old_text)
		{
			values[3] = UUIDPGetDatum(id);
			plan_execute(&delete_value, values, NULL, false, 0);
		}
		if (new_text == NULL)
			continue;
		values[3] = CStringGetTextDatum(new_text);
		values[4] = UUIDPGetDatum(id);
		if (plan_execute(&insert_value, values, NULL, false, 0) == 0)
			problem_raise_at(PROBLEM_CONFLICT, psprintf("/payload/%s", field->key), "unique",
							 "is used by another record");
	}
}
