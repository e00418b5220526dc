/*
 * filters.c
 *	  Schemas of conditions: one for each type of value, one filter for each
 *	  module.
 */
#include "base/compat.h"

#include "base/json.h"
#include "openapi/components.h"

static void
add_conditions(Components *all)
{
#define VALUES(name) "\"in\":{\"type\":\"string\",\"description\":\"values separated by commas\"},\"nin\":{\"type\":\"string\"}," \
	"\"exists\":{\"type\":\"boolean\"}" name
#define ORDERED(schema) "\"eq\":" schema ",\"ne\":" schema ",\"lt\":" schema ",\"lte\":" schema ",\"gt\":" schema ",\"gte\":" schema ","
#define CONDITION(schema, operators) "{\"anyOf\":[" schema ",{\"type\":\"object\",\"minProperties\":1,\"properties\":{" operators \
	"},\"additionalProperties\":false}]}"
#define TEXT "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"number\"}"
#define BOOLEAN "{\"type\":\"boolean\"}"
#define TIME "{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},{\"type\":\"string\",\"format\":\"date\"}]}"
#define ID(prefix) "{\"type\":\"string\",\"pattern\":\"^(" prefix "_[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$\"}"
#define CODE "{\"type\":\"string\",\"pattern\":\"^[A-Z][A-Z0-9]*-[0-9]{4}-[0-9]{4,9}$\"}"
	static const char *const conditions[][2] = {
		{"TextCondition", CONDITION(TEXT, ORDERED(TEXT) VALUES(",\"contains\":" TEXT ",\"startsWith\":" TEXT))},
		{"NumberCondition", CONDITION(NUMBER, ORDERED(NUMBER) VALUES(""))},
		{"TimeCondition", CONDITION(TIME, ORDERED(TIME) VALUES(""))},
		{"BooleanCondition", CONDITION(BOOLEAN, "\"eq\":" BOOLEAN ",\"ne\":" BOOLEAN "," VALUES(""))},
		{"IdCondition", CONDITION(ID("rec"), ORDERED(ID("rec")) VALUES(""))},
		{"ActorCondition", CONDITION(ID("(usr|key)"), ORDERED(ID("(usr|key)")) VALUES(""))},
		{"CodeCondition", CONDITION(CODE, ORDERED(CODE) VALUES(""))},
		{"PresenceCondition", "{\"type\":\"object\",\"minProperties\":1,\"properties\":{\"exists\":{\"type\":\"boolean\"},"
		"\"contains\":" TEXT "},\"additionalProperties\":false}"},
	};

	for (int i = 0; i < (int) lengthof(conditions); i++)
		appendStringInfoString(component_add(all, conditions[i][0]), conditions[i][1]);
}

static void
write_filter(StringInfo out, const RequestContext *context, const ModuleDef *module)
{
	static const char *const kinds[] = {
		[SLOT_NONE] = "Presence", [SLOT_TEXT] = "Text", [SLOT_NUMBER] = "Number", [SLOT_TIME] = "Time"
	};
	static const char *const own[][2] = {
		{"workflowState", "Text"}, {"createdAt", "Time"}, {"updatedAt", "Time"}, {"createdBy", "Actor"}, {"displayCode", "Code"},
		{"id", "Id"}, {"version", "Number"}, {"status", "Text"}
	};
	int			count = 0;

	json_literal(out, "{\"type\":\"object\",\"properties\":{");
	for (int i = 0; i < (int) lengthof(own); i++)
		if (!module_field(module, own[i][0], strlen(own[i][0])))
			appendStringInfo(out, "%s\"%s\":{\"$ref\":\"" COMPONENT_REFERENCE "%sCondition\"}", count++ > 0 ? "," : "", own[i][0], own[i][1]);
	for (int i = 0; i < module->field_count; i++)
	{
		if (!permission_reads_field(context, module, &module->fields[i], NULL))
			continue;
		appendStringInfoChar(out, ',');
		json_name(out, module->fields[i].key);
		appendStringInfo(out, "{\"$ref\":\"" COMPONENT_REFERENCE "%sCondition\"}",
						 module->fields[i].type == FIELD_BOOLEAN ? "Boolean" : kinds[module->fields[i].kind]);
	}
	json_literal(out, "},\"additionalProperties\":false}");
}

void
components_add_filters(Components *all)
{
	StringInfo	out = component_add(all, "RecordFilter");

	add_conditions(all);
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
