/*
 * check.c
 *	  Bringing a payload to its stored form and checking it against its module.
 *
 * Order: defaults and server-written values, then the schema, then what a
 * schema cannot say.  All violations are collected; those below a hidden field
 * (visibleWhen not true) are dropped.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "id.h"
#include "json.h"
#include "plan.h"
#include "record/record.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "workflow/workflow.h"

static KeptPlan select_user = {
	"SELECT 1 FROM qehs.user_account WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_reference = {
	"SELECT m.key FROM qehs.record AS r JOIN qehs.module AS m ON m.tenant_id = $1 AND m.id = r.module_id"
	" WHERE r.tenant_id = $1 AND r.id = $2 AND r.deleted_at IS NULL", 2, {INT4OID, UUIDOID}, NULL
};

/* A copy of an object with one member set. */
static Jsonb *
with_member(Jsonb *object, const ModuleField *field, const Jsonb *member)
{
	JsonbValue	value;

	JsonbToJsonbValue(unconstify(Jsonb *, member), &value);
	if (value.type == jbvBinary && JsonContainerIsScalar(value.val.binary.data))
		JsonbExtractScalar(value.val.binary.data, &value);
	return json_with_member(object, field->key, field->key_length, &value);
}

/* {"likelihood","severity","score","band"} with score and band computed. */
static Jsonb *
scored_matrix(const JsonbContainer *matrix)
{
	int32		likelihood;
	int32		severity;
	int32		score;
	StringInfoData text;

	if (!json_member_int(matrix, "likelihood", &likelihood) || !json_member_int(matrix, "severity", &severity) ||
		likelihood < 1 || likelihood > 5 || severity < 1 || severity > 5)
		return NULL;
	score = likelihood * severity;
	initStringInfo(&text);
	appendStringInfo(&text, "{\"likelihood\":%d,\"severity\":%d,\"score\":%d,\"band\":\"%s\"}", likelihood, severity, score,
					 score <= 4 ? "low" : score <= 9 ? "medium" : score <= 16 ? "high" : "extreme");
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}

/* Defaults and matrix scores; computed values come after, since they read these. */
static Jsonb *
fill_values(const RequestContext *context, const ModuleDef *module, Jsonb *payload, const char *state)
{
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		JsonbValue	value;
		bool		present;
		Jsonb	   *filled = NULL;

		if (field->default_value == NULL && field->type != FIELD_MATRIX_SCORE)
			continue;
		present = json_member(&payload->root, field->key, field->key_length, &value);
		if (!present)
			filled = field->default_value;
		else if (field->type == FIELD_MATRIX_SCORE && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			filled = scored_matrix(value.val.binary.data);
		if (filled)
			payload = with_member(payload, field, filled);
	}
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		Jsonb	   *computed = field->computed ? guard_value(field->computed, context, payload, state) : NULL;

		/* what a client sends for it is replaced: the server writes it */
		if (computed)
			payload = with_member(payload, field, computed);
	}
	return payload;
}

static bool
is_below(const char *path, const ModuleField *field)
{
	return path[0] == '/' && strncmp(path + 1, field->key, field->key_length) == 0 &&
		(path[1 + field->key_length] == '\0' || path[1 + field->key_length] == '/');
}

/* Whether a violation's place lies below a field that is hidden now. */
static bool
is_hidden(const RequestContext *context, const ModuleDef *module, Jsonb *payload, const char *state, const char *path)
{
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];

		if (field->visible_when && is_below(path, field))
			return !guard_is_true(field->visible_when, context, payload, state);
	}
	return false;
}

static void
check_schema(const RequestContext *context, const ModuleDef *module, Jsonb *payload, const char *state,
			 ViolationList *violations)
{
	SchemaErrors errors;

	schema_errors_init(&errors);
	if (schema_validate(module->schema, payload, &errors))
		return;
	if (errors.fault)
		violation_add(violations, "/payload", "schema", "could not be checked: %s", errors.fault);
	for (int i = 0; i < errors.count; i++)
	{
		const SchemaViolation *item = &errors.items[i];
		const char *code = strcmp(item->keyword, "additionalProperties") == 0 ? "unknown_member" : item->keyword;

		if (!is_hidden(context, module, payload, state, item->instance_location))
			violation_add(violations, psprintf("/payload%s", item->instance_location), code, "%s", item->message);
	}
}

/* requiredWhen, and required fields that may be hidden. */
static void
check_required(const RequestContext *context, const ModuleDef *module, Jsonb *payload, const char *state,
			   ViolationList *violations)
{
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		JsonbValue	value;

		if (!field->required_when && !(field->required && field->visible_when))
			continue;
		if (json_member(&payload->root, field->key, field->key_length, &value) && value.type != jbvNull)
			continue;
		if (field->visible_when && !guard_is_true(field->visible_when, context, payload, state))
			continue;
		if (field->required || guard_is_true(field->required_when, context, payload, state))
			violation_add(violations, psprintf("/payload/%s", field->key), "required", "is required");
	}
}

static void
check_range(const ModuleField *field, const JsonbValue *value, ViolationList *violations)
{
	char	   *from;
	char	   *to;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return;
	from = json_member_text(value->val.binary.data, "from");
	to = json_member_text(value->val.binary.data, "to");
	/* full dates compare as text */
	if (from && to && strcmp(from, to) > 0)
		violation_add(violations, psprintf("/payload/%s/to", field->key), "range_order", "must not be before \"from\"");
}

/* A user or record that the payload names must exist in the tenant; inside SPI. */
static void
check_reference(const RequestContext *context, const ModuleField *field, const JsonbValue *value, ViolationList *violations)
{
	bool		is_user = field->type == FIELD_USER;
	pg_uuid_t	id;
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id)};
	bool		isnull;

	if (value->type != jbvString ||
		!id_parse(value->val.string.val, value->val.string.len, is_user ? QEHS_ID_USER : QEHS_ID_RECORD, &id))
		return;					/* the schema has said so */
	if (plan_execute(is_user ? &select_user : &select_reference, values, NULL, true, 1) == 0)
		violation_add(violations, psprintf("/payload/%s", field->key), "not_found",
					  is_user ? "names no user" : "names no record");
	else if (!is_user && field->references &&
			 strcmp(TextDatumGetCString(plan_value(0, 1, &isnull)), field->references) != 0)
		violation_add(violations, psprintf("/payload/%s", field->key), "references",
					  "must name a record of module \"%s\"", field->references);
}

static void
check_fields(const RequestContext *context, const ModuleDef *module, Jsonb *payload, ViolationList *violations)
{
	bool		connected = false;

	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		JsonbValue	value;

		if (field->type != FIELD_DATE_RANGE && field->type != FIELD_USER && field->type != FIELD_RECORD_REFERENCE)
			continue;
		if (!json_member(&payload->root, field->key, field->key_length, &value))
			continue;
		if (field->type == FIELD_DATE_RANGE)
		{
			check_range(field, &value, violations);
			continue;
		}
		if (!connected)
			SPI_connect();
		connected = true;
		check_reference(context, field, &value, violations);
	}
	if (connected)
		SPI_finish();
}

Jsonb *
record_check_payload(const RequestContext *context, const ModuleDef *module, Jsonb *payload, const char *state,
					 ViolationList *violations)
{
	if (!JB_ROOT_IS_OBJECT(payload))
	{
		violation_add(violations, "/payload", "type", "must be an object");
		return payload;
	}
	payload = fill_values(context, module, payload, state);
	check_schema(context, module, payload, state, violations);
	if (module->has_expressions)
		check_required(context, module, payload, state, violations);
	check_fields(context, module, payload, violations);
	return payload;
}
