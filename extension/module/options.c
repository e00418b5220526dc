/*
 * options.c
 *	  Checking the options of a field, whatever its type.
 *
 * Patterns and raw schemas are compiled here alone, so that a fault names its
 * place in the definition; the whole schema is compiled when it is published.
 */
#include "compat.h"

#include "json.h"
#include "module/definition.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define QEHS_UNIT_BYTES 40

static void
check_numbers(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"min", "max", "step"};
	JsonbValue	value;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (!json_member(field, names[i], strlen(names[i]), &value))
			continue;
		if (value.type != jbvNumeric)
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be a number");
		else if (i == 2 && !DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(value.val.numeric),
															 DirectFunctionCall1(int4_numeric, Int32GetDatum(0)))))
			violation_add(faults, psprintf("%s/%s", path, names[i]), "range", "must be above 0");
	}
}

static void
check_lengths(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"minLength", "maxLength"};
	JsonbValue	value;
	int32		length;

	for (int i = 0; i < (int) lengthof(names); i++)
		if (json_member(field, names[i], strlen(names[i]), &value) &&
			(!json_member_int(field, names[i], &length) || length < 0))
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be an integer of at least 0");
}

static void
check_flags(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"required", "unique", "indexed", "searchable", "deprecated"};
	JsonbValue	value;

	for (int i = 0; i < (int) lengthof(names); i++)
		if (json_member(field, names[i], strlen(names[i]), &value) && value.type != jbvBool)
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be true or false");
}

static void
check_texts(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"unit", "references", "pattern"};
	JsonbValue	value;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (!json_member(field, names[i], strlen(names[i]), &value))
			continue;
		if (value.type != jbvString)
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be a string");
		else if (i == 0 && (value.val.string.len < 1 || value.val.string.len > QEHS_UNIT_BYTES))
			violation_add(faults, psprintf("%s/unit", path), "length", "must be 1 to %d bytes", QEHS_UNIT_BYTES);
	}
}

/* Add the faults of a schema; at is where it stands in the definition, prefix what stands before it in the document. */
static void
check_schema(Jsonb *schema, const char *at, const char *prefix, ViolationList *faults)
{
	SchemaOptions options = {.assert_formats = true};
	SchemaErrors errors;
	Schema	   *compiled;

	schema_errors_init(&errors);
	compiled = schema_compile(schema, &options, CurrentMemoryContext, &errors);
	if (compiled)
		schema_free(compiled);
	for (int i = 0; i < errors.count && compiled == NULL; i++)
	{
		const char *place = errors.items[i].instance_location;

		if (strncmp(place, prefix, strlen(prefix)) == 0)
			place += strlen(prefix);
		violation_add(faults, psprintf("%s%s", at, place), errors.items[i].keyword, "%s", errors.items[i].message);
	}
}

static void
check_pattern(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	StringInfoData schema;
	JsonbValue	value;

	if (!json_member(field, "pattern", 7, &value) || value.type != jbvString)
		return;
	initStringInfo(&schema);
	json_literal(&schema, "{\"pattern\":");
	json_jsonb_value(&schema, &value);
	appendStringInfoChar(&schema, '}');
	check_schema(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(schema.data))),
				 psprintf("%s/pattern", path), "/pattern", faults);
}

static void
check_fragment(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(field, "schema", 6, &value))
		return;
	if (value.type != jbvBool && (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data)))
		violation_add(faults, psprintf("%s/schema", path), "type", "must be an object or a boolean");
	else
		check_schema(json_value_to_jsonb(&value), psprintf("%s/schema", path), "", faults);
}

void
definition_check_options(const JsonbContainer *field, FieldType type, int depth, const char *path, ViolationList *faults)
{
	check_numbers(field, path, faults);
	check_lengths(field, path, faults);
	check_flags(field, path, faults);
	check_texts(field, path, faults);
	check_pattern(field, path, faults);
	check_fragment(field, path, faults);
	if (depth > 0 && json_member_bool(field, "unique", false))
		violation_add(faults, psprintf("%s/unique", path), "unique", "cannot be set below a table or object");
	if (depth > 0 && type == FIELD_IDENTIFIER)
		violation_add(faults, psprintf("%s/type", path), "unique", "cannot be \"identifier\" below a table or object");
}
