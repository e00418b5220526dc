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
#include "module/locale.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

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
check_lengths(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"minLength", "maxLength"};
	JsonbValue	value;
	int32		length;

	for (int i = 0; i < (int) lengthof(names); i++)
		if (json_member(field, names[i], strlen(names[i]), &value) &&
			(!json_member_int(field, names[i], &length) || length < 0))
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be an integer of at least 0");
	if (definition_max_length(type) > 0 && !json_member(field, "maxLength", 9, &value) &&
		json_member_int(field, "minLength", &length) && length > definition_max_length(type))
		violation_add(faults, psprintf("%s/minLength", path), "range", "must not be greater than the %d characters of its type",
					  definition_max_length(type));
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
		else if (i == 0 && (value.val.string.len < 1 || value.val.string.len > QEHS_UNIT_LENGTH))
			violation_add(faults, psprintf("%s/unit", path), "length", "must be 1 to %d bytes", QEHS_UNIT_LENGTH);
	}
}

/* Texts without white space, as the codes of UCUM are, so that a list can be dropped for any unit later. */
static bool
is_unit(const JsonbValue *value)
{
	if (value->type != jbvString || value->val.string.len < 1 || value->val.string.len > QEHS_UNIT_LENGTH)
		return false;
	for (int i = 0; i < value->val.string.len; i++)
		if ((unsigned char) value->val.string.val[i] <= ' ' || value->val.string.val[i] == 0x7f)
			return false;
	return true;
}

/* The unit of a quantity, or the list of its units; either, or neither for any unit. */
static void
check_units(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	uint32		count = 0;

	if (type == FIELD_QUANTITY && json_member(field, "unit", 4, &value) && value.type == jbvString && !is_unit(&value))
		violation_add(faults, psprintf("%s/unit", path), "pattern", "must be 1 to %d bytes without white space", QEHS_UNIT_LENGTH);
	if (!json_member(field, "units", 5, &value))
		return;
	if (type != FIELD_QUANTITY)
		violation_add(faults, psprintf("%s/units", path), "type", "is for fields of type quantity");
	else if (json_member_text(field, "unit"))
		violation_add(faults, psprintf("%s/units", path), "type", "cannot stand beside \"unit\"");
	else if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data) ||
			 (count = JsonContainerSize(value.val.binary.data)) == 0 || count > QEHS_MAX_UNITS)
		violation_add(faults, psprintf("%s/units", path), "type", "must be an array of 1 to %d units", QEHS_MAX_UNITS);
	else
		for (uint32 i = 0; i < count; i++)
		{
			JsonbValue *unit = getIthJsonbValueFromContainer(value.val.binary.data, i);
			const JsonbContainer *object = unit->type == jbvBinary && JsonContainerIsObject(unit->val.binary.data) ?
				unit->val.binary.data : NULL;
			JsonbValue	code;

			if (object ? !json_member(object, "value", 5, &code) || !is_unit(&code) : !is_unit(unit))
				violation_add(faults, psprintf("%s/units/%u", path, i), "pattern", "must be 1 to %d bytes without white space,"
							  " or an object with such a member \"value\"", QEHS_UNIT_LENGTH);
			else if (object)
				label_check(object, psprintf("%s/units/%u", path, i), faults);
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

/* Types whose value is the server's, or another one in each record, take no default. */
static void
check_default(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(field, "default", 7, &value))
		return;
	if (type == FIELD_COMPUTED)
		violation_add(faults, psprintf("%s/default", path), "computed", "cannot be set for a computed field");
	else if (type == FIELD_IDENTIFIER || json_member_bool(field, "unique", false))
		violation_add(faults, psprintf("%s/default", path), "unique", "cannot be set for a field that is unique");
}

void
definition_check_options(const JsonbContainer *field, FieldType type, int depth, const char *path, ViolationList *faults)
{
	check_numbers(field, path, faults);
	check_lengths(field, type, path, faults);
	check_flags(field, path, faults);
	check_texts(field, path, faults);
	check_units(field, type, path, faults);
	check_pattern(field, path, faults);
	check_fragment(field, path, faults);
	check_default(field, type, path, faults);
	if (depth > 0 && json_member_bool(field, "unique", false))
		violation_add(faults, psprintf("%s/unique", path), "unique", "cannot be set below a table or object");
	if (depth > 0 && type == FIELD_IDENTIFIER)
		violation_add(faults, psprintf("%s/type", path), "unique", "cannot be \"identifier\" below a table or object");
}
