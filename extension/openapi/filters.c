/*
 * filters.c
 *	  Schemas of conditions: one for each kind of value, with the operators that
 *	  filters have for it, and one filter for each module.
 */
#include "base/compat.h"

#include "base/json.h"
#include "openapi/component.h"
#include "record/filter.h"

#define TEXT "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"number\"}"
#define BOOLEAN "{\"type\":\"boolean\"}"
#define TIME "{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},{\"type\":\"string\",\"format\":\"date\"}]}"
#define TIME_OF_DAY "{\"type\":\"string\",\"pattern\":\"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?$\"}"
#define DURATION "{\"type\":\"string\",\"format\":\"duration\"}"
#define ID_OR(prefix, more) \
	"{\"type\":\"string\",\"pattern\":\"^(" prefix "_[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" more ")$\"}"
#define ID(prefix) ID_OR(prefix, "")
/* A list of more options is not repeated in each condition. */
#define MOST_OPTIONS 100

/* A condition: its name, the schema of a value, and the kind whose operators it has. */
typedef struct Condition
{
	const char *name;
	const char *value;
	ValueKind	kind;
	bool		ordered;
} Condition;

static const Condition conditions[] = {
	{"Text", TEXT, VALUE_TEXT, true},
	{"Option", TEXT, VALUE_OPTION, true},
	{"UnorderedOption", TEXT, VALUE_OPTION, false},
	{"Number", NUMBER, VALUE_NUMBER, true},
	{"Time", TIME, VALUE_TIME, true},
	{"TimeOfDay", TIME_OF_DAY, VALUE_TIME_OF_DAY, true},
	{"Duration", DURATION, VALUE_DURATION, true},
	{"Boolean", BOOLEAN, VALUE_BOOLEAN, true},
	{"Id", ID("rec"), VALUE_ID, true},
	{"User", ID("usr"), VALUE_ID, true},
	{"Actor", ID("(usr|key)"), VALUE_ID, true},
	{"Reference", ID_OR("rec", "|[A-Za-z][A-Za-z0-9]{0,9}-[0-9]{4}-[0-9]{4,9}"), VALUE_ID, true},
	{"List", TEXT, VALUE_LIST, false},
	{"Presence", NULL, VALUE_NONE, false},
};

/* {"eq":…,"in":…}: every operator that values of the kind have. */
static void
write_operators(StringInfo out, ValueKind kind, bool ordered, const char *value)
{
	uint32		operators = filter_operators(kind, ordered);
	int			count = 0;

	appendStringInfoChar(out, '{');
	for (int i = 0; i < FILTER_OPERATOR_COUNT; i++)
	{
		if (!(operators & (1u << i)))
			continue;
		appendStringInfo(out, "%s\"%s\":%s", count++ > 0 ? "," : "", filter_operator_name((FilterOperator) i),
						 i == FILTER_IN ? "{\"type\":\"string\",\"description\":\"values with commas between them; one that holds a comma is quoted\"}" :
						 i == FILTER_EXISTS ? BOOLEAN :
						 i == FILTER_NIN || i == FILTER_STARTS_WITH || (i == FILTER_CONTAINS && kind != VALUE_LIST) ? TEXT : value);
	}
	appendStringInfoChar(out, '}');
}

/* A value, which is eq, or operators; of what has no values (NULL) only those. */
static void
write_condition(StringInfo out, ValueKind kind, bool ordered, const char *value)
{
	if (value)
		appendStringInfo(out, "{\"anyOf\":[%s,", value);
	json_literal(out, "{\"type\":\"object\",\"minProperties\":1,\"properties\":");
	write_operators(out, kind, ordered, value);
	json_literal(out, ",\"additionalProperties\":false}");
	if (value)
		json_literal(out, "]}");
}

static void
add_conditions(Components *all)
{
	for (int i = 0; i < (int) lengthof(conditions); i++)
		write_condition(component_add(all, psprintf("%sCondition", conditions[i].name)), conditions[i].kind, conditions[i].ordered,
						conditions[i].value);
}

static const char *
condition_of(const FilterField *field)
{
	if (field->built_in == BUILT_IN_CREATED_BY)
		return "Actor";
	if (field->type == FIELD_USER)
		return "User";
	if (field->field && field->type == FIELD_RECORD_REFERENCE)
		return "Reference";
	for (int i = 0; i < (int) lengthof(conditions); i++)
		if (conditions[i].kind == field->kind && conditions[i].ordered == field->ordered)
			return conditions[i].name;
	return "Presence";
}

/* What a value of the field may be where the module itself says it: one of its options, states, a code with its prefix; else NULL. */
static const char *
value_schema(const ModuleDef *module, const FilterField *field)
{
	StringInfoData schema;

	initStringInfo(&schema);
	if (field->built_in == BUILT_IN_DISPLAY_CODE)
		return psprintf("{\"type\":\"string\",\"pattern\":\"^%s-[0-9]{4}-[0-9]{4,9}$\"}", module->prefix);
	if (field->built_in != BUILT_IN_STATE && (!field->field || field->field->option_count < 1 || field->field->option_count > MOST_OPTIONS))
		return NULL;
	json_literal(&schema, "{\"type\":\"string\",");
	if (field->built_in)
		component_names(&schema, module->states, module->state_count);
	else
		component_names(&schema, field->field->options, field->field->option_count);
	appendStringInfoChar(&schema, '}');
	return schema.data;
}

/* "name":the condition of the field called so */
static void
write_named(StringInfo out, const ModuleDef *module, const char *name)
{
	FilterField field;
	const char *value;

	if (!filter_field(module, name, &field))
		return;
	appendStringInfoString(out, out->data[out->len - 1] == '{' ? "" : ",");
	json_name(out, name);
	value = value_schema(module, &field);
	if (value == NULL)
		appendStringInfo(out, "{\"$ref\":\"" COMPONENT_REFERENCE "%sCondition\"}", condition_of(&field));
	else if (field.built_in == BUILT_IN_STATE)
		/* by order any text is compared with */
		write_condition(out, VALUE_OPTION, false, value);
	else
		write_condition(out, field.kind, field.ordered, value);
}

/* A field, and the members of an object. */
static void
write_field(StringInfo out, const ModuleDef *module, const ModuleField *field, const char *name)
{
	write_named(out, module, name);
	for (int i = 0; field->type == FIELD_OBJECT && i < field->nested.count; i++)
		write_field(out, module, &field->nested.items[i], psprintf("%s.%s", name, field->nested.items[i].key));
}

static void
write_filter(StringInfo out, const RequestContext *context, const ModuleDef *module)
{
	json_literal(out, "{\"type\":\"object\",\"properties\":{");
	for (int i = BUILT_IN_NONE + 1; i < BUILT_IN_COUNT; i++)
		write_named(out, module, filter_built_in_name((BuiltIn) i));
	if (!module_field(module, "status", strlen("status")))
		write_named(out, module, "status");
	for (int i = 0; i < module->field_count; i++)
		if (permission_reads_field(context, module, &module->fields[i], NULL))
			write_field(out, module, &module->fields[i], module->fields[i].key);
	json_literal(out, "},\"additionalProperties\":false}");
}

void
components_add_filters(Components *all)
{
	StringInfo	out;

	add_conditions(all);
	out = component_add(all, "RecordFilter");
	if (!component_choice(out, all->document, "Filter", ACTION_READ, false))
	{
		resetStringInfo(out);
		json_literal(out, "{\"type\":\"object\",\"description\":\"Conditions by field.\",\"additionalProperties\":{\"anyOf\":[{\"type\":[\"string\","
					 "\"number\",\"boolean\"]},{\"$ref\":\"" COMPONENT_REFERENCE "TextCondition\"},{\"$ref\":\"" COMPONENT_REFERENCE "NumberCondition\"},"
					 "{\"$ref\":\"" COMPONENT_REFERENCE "TimeCondition\"}]}}");
	}
	for (int i = 0; i < all->document->module_count; i++)
		write_filter(component_add(all, psprintf("%sFilter", all->document->modules[i].name)),
					 all->document->context, all->document->modules[i].module);
}
