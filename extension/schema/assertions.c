/*
 * assertions.c
 *	  The keywords that say something of a value itself (JSON Schema 2020-12, Validation).
 */
#include "base/compat.h"

#include "schema/assertions.h"
#include "schema/format.h"

#define ENUM_TEXT_BYTES 300

void
assertion_type(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	static const char *const names[] = {"null", "boolean", "string", "number", "integer", "array", "object"};
	uint32		count = value->type == VALUE_ARRAY ? VALUE_COUNT(value) : 1;

	for (uint32 i = 0; i < count; i++)
	{
		Value		name = *value;
		bool		known = false;

		if (value->type == VALUE_ARRAY)
			value_item(value, i, &name);
		for (int j = 0; j < (int) lengthof(names) && name.type == VALUE_STRING; j++)
			if (strlen(names[j]) == name.length && memcmp(names[j], name.data, name.length) == 0)
			{
				building->node.types |= 1 << j;
				known = true;
			}
		if (!known)
			building_fault(compiler, building, "type", "must be of null, boolean, string, number, integer, array and object");
	}
	if (count == 0)
		building_fault(compiler, building, "type", "must name at least one type");
}

static int
compare_values(const void *left, const void *right)
{
	return value_compare(left, right);
}

static char *
shown_value(const Value *value)
{
	char	   *text = value_text(value);

	return schema_shown(text, strlen(text));
}

/* "low, medium, high": strings as they are, other values as JSON. */
static const char *
enum_text(const Value *values, int count)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		if (out.len > ENUM_TEXT_BYTES)
		{
			appendStringInfo(&out, "and %d more", count - i);
			break;
		}
		if (values[i].type == VALUE_STRING)
			appendStringInfoString(&out, schema_shown(values[i].data, values[i].length));
		else
			appendStringInfoString(&out, shown_value(&values[i]));
	}
	return out.data;
}

void
assertion_enum(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaEnum *enumeration;
	ValueWalk	walk;

	if (value->type != VALUE_ARRAY)
	{
		building_fault(compiler, building, "enum", "must be an array");
		return;
	}
	enumeration = palloc0(sizeof(SchemaEnum));
	enumeration->count = VALUE_COUNT(value);
	enumeration->values = palloc_extended(sizeof(Value) * Max(enumeration->count, 1), MCXT_ALLOC_HUGE);
	walk = value_walk(VALUE_CONTAINER(value), 0);
	for (int i = 0; i < enumeration->count; i++)
	{
		value_next(&walk, &enumeration->values[i]);
		enumeration->string_count += enumeration->values[i].type == VALUE_STRING;
	}
	enumeration->text = enum_text(enumeration->values, enumeration->count);
	qsort(enumeration->values, enumeration->count, sizeof(Value), compare_values);
	*(const SchemaEnum **) target = enumeration;
}

void
assertion_const(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaEnum *constant = palloc0(sizeof(SchemaEnum));

	constant->count = 1;
	constant->string_count = value->type == VALUE_STRING;
	constant->values = palloc(sizeof(Value));
	constant->values[0] = *value;
	constant->text = enum_text(value, 1);
	*(const SchemaEnum **) target = constant;
}

/* A length or a count: an integer of at least 0; huge ones are as good as the greatest. */
void
assertion_count(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	int64		scaled;

	if (value->type != VALUE_NUMBER || !value_is_integer(value) ||
		(value_scaled(value, &scaled) ? scaled < 0 : value_text(value)[0] == '-'))
		building_fault(compiler, building, keyword->name, "must be an integer of at least 0");
	else
		*(int64 *) target = value_scaled(value, &scaled) ? scaled / 100000000 : PG_INT64_MAX;
}

void
assertion_bound(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBound *bound = target;

	if (value->type != VALUE_NUMBER)
	{
		building_fault(compiler, building, keyword->name, "must be a number");
		return;
	}
	bound->given = true;
	bound->value = *value;
	bound->is_scaled = value_scaled(value, &bound->scaled);
}

void
assertion_multiple(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBound *bound = target;

	assertion_bound(compiler, building, keyword, value, target);
	if (bound->given && (bound->is_scaled ? bound->scaled <= 0 : value_text(value)[0] == '-'))
	{
		bound->given = false;
		building_fault(compiler, building, keyword->name, "must be a number greater than 0");
	}
}

void
assertion_pattern(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type != VALUE_STRING)
	{
		building_fault(compiler, building, "pattern", "must be a string");
		return;
	}
	building_string(building)->pattern = building_regex(compiler, building_location(building, "pattern"), "pattern", value);
	building_string(building)->pattern_text = schema_shown(value->data, value->length);
}

void
assertion_format(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type != VALUE_STRING)
		building_fault(compiler, building, "format", "must be a string");
	else if (building->asserts_formats)
	{
		building_string(building)->format = pnstrdup(value->data, value->length);
		building_string(building)->format_holds = format_find(building_string(building)->format, &building_string(building)->format_steps);
		building_string(building)->wanted = format_wanted(building_string(building)->format);
	}
}

void
assertion_unique(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type != VALUE_BOOLEAN)
		building_fault(compiler, building, "uniqueItems", "must be true or false");
	else
		*(bool *) target = value->truth;
}
