/*
 * unique.c
 *	  Values of unique fields, in qehs.record_unique.
 *
 * They go by the current definition, whichever a record was written against, so
 * that an old record's value under a renamed key and a new record's are held
 * against each other; publishing fills the table anew when unique fields change.
 *
 * INSERT … ON CONFLICT DO NOTHING waits for a twin in flight and then tells by
 * its row count, so no subtransaction is needed.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "module/publish.h"
#include "record/record.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define VALUE_KEY "tenant_id = $1 AND module_id = $2 AND field = $3 AND value = $4 AND record_id = $5"

static KeptPlan insert_value = {
	"INSERT INTO qehs.record_unique (tenant_id, module_id, field, value, record_id) VALUES ($1, $2, $3, $4, $5)"
	" ON CONFLICT DO NOTHING",
	5, {INT4OID, INT4OID, TEXTOID, TEXTOID, UUIDOID}, NULL
};
static KeptPlan select_own = {
	"SELECT 1 FROM qehs.record_unique WHERE " VALUE_KEY, 5, {INT4OID, INT4OID, TEXTOID, TEXTOID, UUIDOID}, NULL
};
static KeptPlan delete_value = {
	"DELETE FROM qehs.record_unique WHERE " VALUE_KEY, 5, {INT4OID, INT4OID, TEXTOID, TEXTOID, UUIDOID}, NULL
};
static KeptPlan delete_all = {
	"DELETE FROM qehs.record_unique WHERE tenant_id = $1 AND module_id = $2", 2, {INT4OID, INT4OID}, NULL
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
	/* 1.0 is 1 */
	if (value.type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out, DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(value.val.numeric))));
	initStringInfo(&text);
	json_jsonb_value(&text, &value);
	return text.data;
}

/* Run a statement for one value; gives the rows that it touched. */
static uint64
execute(KeptPlan *plan, const ModuleDef *module, const ModuleField *field, const char *text, const pg_uuid_t *id)
{
	Datum		values[5] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), CStringGetTextDatum(field->key),
	CStringGetTextDatum(text), UUIDPGetDatum(id)};

	return plan_execute(plan, values, NULL, false, 0);
}

/* Take the values of payload that other lacks; gives the field of one that another record has. */
static const ModuleField *
take(const ModuleDef *module, const pg_uuid_t *id, Jsonb *payload, Jsonb *other)
{
	for (int i = 0; module->has_unique && i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		char	   *text = field->unique ? record_unique_text(field, payload) : NULL;
		char	   *other_text = text ? record_unique_text(field, other) : NULL;

		if (text == NULL || (other_text && strcmp(text, other_text) == 0))
			continue;
		if (execute(&insert_value, module, field, text, id) == 0 && execute(&select_own, module, field, text, id) == 0)
			return field;
	}
	return NULL;
}

/* Give up the values of payload that other lacks, of the fields before end (NULL: of all). */
static void
give_up(const ModuleDef *module, const pg_uuid_t *id, Jsonb *payload, Jsonb *other, const ModuleField *end)
{
	for (int i = 0; module->has_unique && i < module->field_count && &module->fields[i] != end; i++)
	{
		const ModuleField *field = &module->fields[i];
		char	   *text = field->unique ? record_unique_text(field, payload) : NULL;
		char	   *other_text = text ? record_unique_text(field, other) : NULL;

		if (text && (other_text == NULL || strcmp(text, other_text) != 0))
			execute(&delete_value, module, field, text, id);
	}
}

const ModuleField *
record_unique_try(const ModuleDef *module, const pg_uuid_t *id, Jsonb *before, Jsonb *after)
{
	const ModuleField *conflict = take(module, id, after, before);

	/* give up what is no longer wanted: the old values, or the new ones taken so far */
	if (conflict)
		give_up(module, id, after, before, conflict);
	else
		give_up(module, id, before, after, NULL);
	return conflict;
}

void
record_unique_replace(const ModuleDef *module, const pg_uuid_t *id, Jsonb *before, Jsonb *after, int32 version, bool all)
{
	const ModuleField *conflict = take(module, id, after, all ? NULL : before);

	if (conflict)
		problem_raise_at(PROBLEM_CONFLICT, psprintf("/payload/%s", module_field_key(conflict, version)), "unique",
						 "is used by another record");
	give_up(module, id, before, after, NULL);
}

void
record_unique_clear(const ModuleDef *module)
{
	Datum		values[2] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id)};

	plan_execute(&delete_all, values, NULL, false, 0);
}

void
record_unique_keep(const ModuleDef *module, const pg_uuid_t *id, Jsonb *payload)
{
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		char	   *text = field->unique ? record_unique_text(field, payload) : NULL;

		if (text)
			execute(&insert_value, module, field, text, id);
	}
}
