/*
 * yields.c
 *	  The type of what a computed field yields, by which its values compare.
 *
 * It is read from the expression alone: arithmetic gives numbers, predicates
 * booleans, a path the type of the field at its end.  What cannot be told
 * (a wildcard, a member of a free object) is taken as text.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "utils/builtins.h"
#include "utils/jsonpath.h"

/* Where a path has come to: a field's type, and the fields below it where it has some. */
typedef struct Step
{
	FieldType	type;
	const JsonbContainer *fields;
} Step;

static Step
field_step(const JsonbContainer *fields, const char *key, int length)
{
	for (uint32 i = 0; fields && i < JsonContainerSize(fields); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i);
		const JsonbContainer *field = item->type == jbvBinary ? item->val.binary.data : NULL;
		char	   *name = field ? json_member_text(field, "key") : NULL;
		JsonbValue	nested;
		Step		step = {FIELD_TEXT, NULL};

		if (name == NULL || strlen(name) != (size_t) length || memcmp(name, key, length) != 0)
			continue;
		step.type = definition_value_type(fields, field);
		if (json_member(field, "fields", 6, &nested) && nested.type == jbvBinary)
			step.fields = nested.val.binary.data;
		return step;
	}
	return (Step) {FIELD_TEXT, NULL};
}

static Step
member_step(Step from, const char *key, int length)
{
	FieldType	type;

	if (from.type == FIELD_OBJECT || from.type == FIELD_TABLE)
		return field_step(from.fields, key, length);
	type = module_member_type(from.type, key, length);
	return (Step) {type == FIELD_TYPE_COUNT ? FIELD_TEXT : type, NULL};
}

/* One element of a list: a row of a table is an object, an option a text. */
static Step
element_step(Step from)
{
	if (from.type == FIELD_TABLE)
		from.type = FIELD_OBJECT;
	else if (module_field_types[from.type].kind == VALUE_LIST)
		from.type = FIELD_TEXT;
	return from;
}

static Step
variable_step(const char *name, int length)
{
	if (length == 3 && memcmp(name, "now", 3) == 0)
		return (Step) {FIELD_DATETIME, NULL};
	if (length == 5 && memcmp(name, "today", 5) == 0)
		return (Step) {FIELD_DATE, NULL};
	if (length == 5 && memcmp(name, "roles", 5) == 0)
		return (Step) {FIELD_MULTI_SELECT, NULL};
	return (Step) {FIELD_TEXT, NULL};
}

/* What an item makes of what stands before it. */
static Step
item_step(JsonPathItem *item, Step from)
{
	char	   *name;
	int32		length;

	switch (item->type)
	{
		case jpiRoot:
		case jpiCurrent:
		case jpiFilter:
			return from;
		case jpiKey:
			name = jspGetString(item, &length);
			return member_step(from, name, length);
		case jpiVariable:
			name = jspGetString(item, &length);
			return variable_step(name, length);
		case jpiAnyArray:
		case jpiIndexArray:
			return element_step(from);
		case jpiAdd:
		case jpiSub:
		case jpiMul:
		case jpiDiv:
		case jpiMod:
		case jpiPlus:
		case jpiMinus:
		case jpiNumeric:
		case jpiAbs:
		case jpiFloor:
		case jpiCeiling:
		case jpiDouble:
			return (Step) {FIELD_NUMBER, NULL};
		case jpiSize:
			return (Step) {FIELD_INTEGER, NULL};
		case jpiDatetime:
			return (Step) {FIELD_DATETIME, NULL};
		case jpiBool:
		case jpiAnd:
		case jpiOr:
		case jpiNot:
		case jpiIsUnknown:
		case jpiEqual:
		case jpiNotEqual:
		case jpiLess:
		case jpiGreater:
		case jpiLessOrEqual:
		case jpiGreaterOrEqual:
		case jpiExists:
		case jpiStartsWith:
		case jpiLikeRegex:
			return (Step) {FIELD_BOOLEAN, NULL};
		default:
			return (Step) {FIELD_TEXT, NULL};
	}
}

static FieldType
expression_yields(JsonPath *expression, const JsonbContainer *fields)
{
	JsonPathItem item;
	JsonPathItem next;
	Step		step = {FIELD_OBJECT, fields};

	jspInit(&item, expression);
	step = item_step(&item, step);
	while (jspGetNext(&item, &next))
	{
		item = next;
		step = item_step(&item, step);
	}
	/* the options are those of another field */
	return step.type == FIELD_SELECT ? FIELD_TEXT : step.type;
}

FieldType
definition_value_type(const JsonbContainer *fields, const JsonbContainer *field)
{
	FieldType	type = definition_field_type(field);
	char	   *text;
	JsonPath   *expression;

	check_stack_depth();
	if (type != FIELD_COMPUTED)
		return type;
	text = json_member_text(field, json_member_text(field, "computed") ? "computed" : "expression");
	expression = text ? DatumGetJsonPathP(DirectFunctionCall1(jsonpath_in, CStringGetDatum(text))) : NULL;
	return expression ? expression_yields(expression, fields) : FIELD_TEXT;
}
