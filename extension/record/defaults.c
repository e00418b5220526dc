/*
 * defaults.c
 *	  Checking, when a definition is published, that its defaults hold: those of
 *	  fields at any depth, and those of the migration rules.
 *
 * A default is filled as in a record and held against the schema of its field
 * alone, then against what a schema cannot say.  As a record of the definition
 * would be checked, but by a caller who may read everything.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "module/publish.h"
#include "record/check.h"
#include "schema/jsonschema.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static void
check_schema(const PayloadCheck *check, const ModuleField *field, Jsonb *value, const char *path)
{
	SchemaOptions options = {.assert_formats = true, .lookup = jsonschema_find_registered};
	SchemaErrors errors;
	Schema	   *schema;

	schema_errors_init(&errors);
	schema = schema_compile(definition_field_schema(field->definition), &options, CurrentMemoryContext, &errors);
	/* what does not compile has been reported already */
	if (schema == NULL)
		return;
	schema_errors_init(&errors);
	if (!schema_validate(schema, value, &errors) && errors.fault)
		violation_add(check->violations, path, "schema", "could not be checked: %s", errors.fault);
	for (int i = 0; i < errors.count; i++)
		payload_add_violation(check, field, &errors.items[i], value, psprintf("%s%s", path, errors.items[i].instance_location));
	schema_free(schema);
}

/* filled is the default as a record would get it. */
static void
check_default(const PayloadCheck *check, const ModuleField *field, Jsonb *filled, const char *path)
{
	JsonbValue	whole;

	check_schema(check, field, filled, path);
	JsonbToJsonbValue(filled, &whole);
	if (JsonContainerIsScalar(whole.val.binary.data))
		JsonbExtractScalar(whole.val.binary.data, &whole);
	payload_check_value(check, field, &whole, path);
}

static void
check_fields(const PayloadCheck *check, const JsonbContainer *definitions, const ModuleFields *fields, const char *path)
{
	check_stack_depth();
	for (uint32 i = 0; i < JsonContainerSize(definitions); i++)
	{
		const JsonbContainer *definition = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, definitions), i)->val.binary.data;
		char	   *key = json_member_text(definition, "key");
		const ModuleField *field = module_fields_find(fields, key, strlen(key));
		JsonbValue	value;
		Jsonb	   *filled = payload_default(check, field);

		CHECK_FOR_INTERRUPTS();
		if (filled)
			check_default(check, field, filled, psprintf("%s/%u/default", path, i));
		if (json_member(definition, "fields", 6, &value) && field->nested.count > 0)
			check_fields(check, value.val.binary.data, &field->nested, psprintf("%s/%u/fields", path, i));
	}
}

/* The members of "default" of the migration rules, which are checked to name fields. */
static void
check_rules(const PayloadCheck *check, Jsonb *definition)
{
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (!json_member(&definition->root, "migrate", 7, &value) || !json_member(value.val.binary.data, "default", 7, &value))
		return;
	iterator = JsonbIteratorInit(value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;
		const ModuleField *field;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		name = json_text_copy(&key);
		field = module_field(check->module, name, strlen(name));
		check_default(check, field, payload_fill_value(check, field, &value), psprintf("/migrate/default/%s", name));
	}
}

void
payload_check_defaults(int32 tenant_id, Jsonb *definition, Jsonb *schema, ViolationList *faults)
{
	RequestContext context = {.tenant_id = tenant_id, .actor_type = ACTOR_SYSTEM, .scopes = SCOPE_ALL, .module_count = -1};
	Jsonb	   *no_slots = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs module being checked", ALLOCSET_SMALL_SIZES);
	ModuleDef  *module = module_load(tenant_id, 0, 0, "", definition, schema, no_slots, memory);
	Guard		guard = {&context, module->initial, NULL};
	PayloadCheck check = {&context, module, &guard, NULL, NULL, NULL, faults, NULL, NULL, NULL};
	JsonbValue	fields;

	json_member(&definition->root, "fields", 6, &fields);
	check_fields(&check, fields.val.binary.data, &module->all, "/fields");
	check_rules(&check, definition);
	MemoryContextDelete(memory);
}
