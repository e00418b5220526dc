/*
 * components.c
 *	  Schemas of the document: fixed ones from the table, requests from the
 *	  endpoints' rows, records and payloads from the modules.
 *
 * All are written, each into text of its own; only those go out that paths or
 * another one of them refers to.
 */
#include "compat.h"

#include "json.h"
#include "openapi/document.h"
#include "plan.h"
#include "utils/builtins.h"

#define REFERENCE "#/components/schemas/"

typedef struct Component
{
	const char *name;
	StringInfoData text;
	bool		used;
} Component;

typedef struct ComponentEntry
{
	char		name[NAMEDATALEN * 2];
	Component  *component;
} ComponentEntry;

typedef struct Components
{
	int			count;
	int			capacity;
	Component  *items;
	const ApiDocument *document;
} Components;

typedef enum RecordForm
{
	RECORD_WHOLE, RECORD_DETAIL, RECORD_SELECTION
} RecordForm;

static KeptPlan select_components = {"SELECT name, schema FROM qehs.openapi_component", 0, {0}, NULL};

static StringInfo
add_component(Components *all, const char *name)
{
	Component  *item;

	if (all->count == all->capacity)
	{
		all->capacity *= 2;
		all->items = repalloc(all->items, sizeof(Component) * all->capacity);
	}
	item = &all->items[all->count++];
	item->name = name;
	item->used = false;
	initStringInfo(&item->text);
	return &item->text;
}

static void
write_reference(StringInfo out, const char *name, const char *suffix)
{
	appendStringInfo(out, "{\"$ref\":\"" REFERENCE "%s%s\"}", name, suffix);
}

static void
write_names(StringInfo out, const char *const *names, int count, bool null_too)
{
	json_literal(out, "\"enum\":[");
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, names[i]);
	}
	appendStringInfoString(out, null_too ? ",null]" : "]");
}

static void
add_fixed(Components *all)
{
	uint64		rows;
	bool		isnull;
	MemoryContext memory = CurrentMemoryContext;

	SPI_connect();
	rows = plan_execute_latest(&select_components, NULL, NULL, 0);
	for (uint64 i = 0; i < rows; i++)
	{
		char	   *name = MemoryContextStrdup(memory, TextDatumGetCString(plan_value(i, 1, &isnull)));
		char	   *schema = TextDatumGetCString(plan_value(i, 2, &isnull));
		MemoryContext previous = MemoryContextSwitchTo(memory);

		appendStringInfoString(add_component(all, name), schema);
		MemoryContextSwitchTo(previous);
	}
	SPI_finish();
}

/* ---- problems ---- */

static void
add_problem(Components *all)
{
	const ApiDocument *document = all->document;
	StringInfo	out = add_component(all, "Violation");

	json_literal(out, "{\"type\":\"object\",\"description\":\"What is wrong in one place of the request.\","
				 "\"required\":[\"path\",\"code\",\"message\"],\"properties\":{"
				 "\"path\":{\"type\":\"string\",\"description\":\"A JSON Pointer into the body (RFC 6901), ?parameter or @Header.\"},"
				 "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"}},\"additionalProperties\":false,"
				 "\"examples\":[{\"path\":\"/payload/severity\",\"code\":\"enum\",\"message\":\"must be one of the options\"}]}");
	out = add_component(all, "ProblemCode");
	json_literal(out, "{\"type\":\"string\",\"description\":\"A word for programs; type links to what it means.\",\"enum\":[");
	for (int i = 0; i < document->problem_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, document->problems[i].code);
	}
	json_literal(out, "]}");
	out = add_component(all, "Problem");
	json_literal(out, "{\"type\":\"object\",\"description\":\"An error (RFC 9457).\","
				 "\"required\":[\"type\",\"title\",\"status\",\"detail\",\"instance\",\"code\",\"traceId\"],\"properties\":{"
				 "\"type\":{\"type\":\"string\",\"format\":\"uri\"},\"title\":{\"type\":\"string\"},"
				 "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},\"detail\":{\"type\":\"string\"},"
				 "\"instance\":{\"type\":\"string\"},\"code\":{\"$ref\":\"" REFERENCE "ProblemCode\"},"
				 "\"traceId\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"},"
				 "\"errors\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":100,\"items\":{\"$ref\":\"" REFERENCE "Violation\"}}},"
				 "\"additionalProperties\":false}");
}

/* ---- records ---- */

static void
write_record(StringInfo out, const ApiModule *module, RecordForm form)
{
	json_literal(out, "{\"type\":\"object\",");
	if (module)
		appendStringInfo(out, "\"title\":\"%sRecord%s\",", module->name, form == RECORD_DETAIL ? "Detail" : "");
	if (form == RECORD_SELECTION)
		json_literal(out, "\"description\":\"Members of a record that the parameter fields named.\",\"required\":[\"id\"]");
	else
		appendStringInfo(out, "\"required\":[\"id\",\"moduleKey\",\"displayCode\",\"workflowState\",\"payload\",\"version\","
						 "\"definitionVersion\",\"createdAt\",\"updatedAt\",\"createdBy\",\"updatedBy\",\"deletedAt\"%s]",
						 form == RECORD_DETAIL ? ",\"activity\",\"attachments\",\"availableTransitions\"" : "");
	json_literal(out, ",\"properties\":{\"id\":{\"$ref\":\"" REFERENCE "RecordId\"},\"moduleKey\":{\"type\":\"string\"");
	if (module)
		appendStringInfo(out, ",\"const\":\"%s\"", module->module->key);
	json_literal(out, "},\"displayCode\":{\"type\":\"string\",\"examples\":[\"INC-2026-0001\"]},\"workflowState\":{\"type\":\"string\"");
	if (module)
	{
		appendStringInfoChar(out, ',');
		write_names(out, module->module->states, module->module->state_count, false);
	}
	json_literal(out, "},\"payload\":");
	if (module)
		write_reference(out, module->name, "Payload");
	else
		json_literal(out, "{\"type\":\"object\",\"description\":\"The fields of the module.\"}");
	json_literal(out, ",\"version\":{\"type\":\"integer\",\"minimum\":1},"
				 "\"definitionVersion\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"The definition that it was written against.\"},"
				 "\"createdAt\":{\"$ref\":\"" REFERENCE "Time\"},\"updatedAt\":{\"$ref\":\"" REFERENCE "Time\"},"
				 "\"createdBy\":{\"$ref\":\"" REFERENCE "Actor\"},\"updatedBy\":{\"$ref\":\"" REFERENCE "Actor\"},"
				 "\"deletedAt\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}");
	if (form == RECORD_DETAIL)
		json_literal(out, ",\"activity\":{\"type\":\"array\",\"maxItems\":50,\"items\":{\"$ref\":\"" REFERENCE "Activity\"}},"
					 "\"attachments\":{\"type\":\"array\",\"items\":{\"$ref\":\"" REFERENCE "Attachment\"}},"
					 "\"availableTransitions\":{\"type\":\"array\",\"items\":{\"$ref\":\"" REFERENCE "AvailableTransition\"}}");
	json_literal(out, "},\"additionalProperties\":false}");
}

/* One of the modules' schemas, told apart by moduleKey. */
static bool
write_choice(StringInfo out, const ApiDocument *document, const char *suffix, uint32 actions, bool told_apart)
{
	int			count = 0;
	int			total = 0;

	for (int i = 0; i < document->module_count; i++)
		total += (document->modules[i].actions & actions) != 0;
	if (total > 1)
		appendStringInfoString(out, told_apart ? "{\"oneOf\":[" : "{\"anyOf\":[");
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].actions & actions)
		{
			if (count++ > 0)
				appendStringInfoChar(out, ',');
			write_reference(out, document->modules[i].name, suffix);
		}
	/* of one there is no choice */
	if (total < 2)
		return total > 0;
	appendStringInfoChar(out, ']');
	if (told_apart)
	{
		json_literal(out, ",\"discriminator\":{\"propertyName\":\"moduleKey\",\"mapping\":{");
		for (int i = 0, written = 0; i < document->module_count; i++)
			if (document->modules[i].actions & actions)
				appendStringInfo(out, "%s\"%s\":\"" REFERENCE "%s%s\"", written++ > 0 ? "," : "",
								 document->modules[i].module->key, document->modules[i].name, suffix);
		json_literal(out, "}}");
	}
	appendStringInfoChar(out, '}');
	return true;
}

static void
add_records(Components *all)
{
	static const struct
	{
		const char *name;
		const char *suffix;
		RecordForm	form;
	}			forms[] = {{"Record", "Record", RECORD_WHOLE}, {"RecordDetail", "RecordDetail", RECORD_DETAIL}};

	for (int i = 0; i < (int) lengthof(forms); i++)
	{
		StringInfo	out = add_component(all, forms[i].name);

		if (!write_choice(out, all->document, forms[i].suffix, ACTION_ALL, true))
		{
			resetStringInfo(out);
			write_record(out, NULL, forms[i].form);
		}
		for (int j = 0; j < all->document->module_count; j++)
		{
			const ApiModule *module = &all->document->modules[j];

			write_record(add_component(all, psprintf("%s%s", module->name, forms[i].suffix)), module, forms[i].form);
		}
	}
	write_record(add_component(all, "RecordSelection"), NULL, RECORD_SELECTION);
}

/* ---- filters ---- */

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
		appendStringInfoString(add_component(all, conditions[i][0]), conditions[i][1]);
}

static void
write_filter(StringInfo out, const ModuleDef *module)
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
			appendStringInfo(out, "%s\"%s\":{\"$ref\":\"" REFERENCE "%sCondition\"}", count++ > 0 ? "," : "", own[i][0], own[i][1]);
	for (int i = 0; i < module->field_count; i++)
	{
		appendStringInfoChar(out, ',');
		json_name(out, module->fields[i].key);
		appendStringInfo(out, "{\"$ref\":\"" REFERENCE "%sCondition\"}",
						 module->fields[i].type == FIELD_BOOLEAN ? "Boolean" : kinds[module->fields[i].kind]);
	}
	json_literal(out, "},\"additionalProperties\":false}");
}

static void
add_filters(Components *all)
{
	StringInfo	out = add_component(all, "RecordFilter");

	if (!write_choice(out, all->document, "Filter", ACTION_READ, false))
	{
		resetStringInfo(out);
		json_literal(out, "{\"type\":\"object\",\"description\":\"Conditions by field.\",\"additionalProperties\":{\"anyOf\":[{\"type\":[\"string\","
					 "\"number\",\"boolean\"]},{\"$ref\":\"" REFERENCE "TextCondition\"},{\"$ref\":\"" REFERENCE "NumberCondition\"},"
					 "{\"$ref\":\"" REFERENCE "TimeCondition\"}]}}");
	}
	for (int i = 0; i < all->document->module_count; i++)
		write_filter(add_component(all, psprintf("%sFilter", all->document->modules[i].name)), all->document->modules[i].module);
}

/* ---- requests ---- */

/* A body member's schema as its row has it. */
static void
write_row_schema(StringInfo out, const ApiParameter *parameter)
{
	JsonbValue	value;
	char	   *description = json_member_text(parameter->row, "description");

	if (!json_member(parameter->row, "schema", 6, &value) || value.type != jbvBinary)
		appendStringInfo(out, "{\"type\":\"%s\"}", parameter->type);
	else
		json_jsonb_value(out, &value);
	if (description && out->data[out->len - 1] == '}')
	{
		out->len--;
		json_literal(out, ",\"description\":");
		json_string(out, description);
		appendStringInfoChar(out, '}');
	}
}

/* What a transition needs, for people. */
static void
write_transition_text(StringInfo out, const ModuleTransition *transition)
{
	StringInfoData text;

	initStringInfo(&text);
	if (transition->from_count < 0)
		appendStringInfo(&text, "From any state to %s.", transition->to);
	else
	{
		appendStringInfoString(&text, "From ");
		for (int i = 0; i < transition->from_count; i++)
			appendStringInfo(&text, "%s%s", i > 0 ? " or " : "", transition->from[i]);
		appendStringInfo(&text, " to %s.", transition->to);
	}
	for (int i = 0; i < transition->requires_count; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : " The record must have ", transition->requires[i]);
	appendStringInfo(&text, "%s", transition->requires_count > 0 ? "." : "");
	if (transition->when_text)
		appendStringInfo(&text, " Holds when %s.", transition->when_text);
	json_string(out, text.data);
}

/* A body member of a request about one module. */
static void
write_typed_member(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint, const ApiParameter *parameter,
				   const ApiModule *module, const ModuleTransition *transition)
{
	bool		creates = endpoint_parameter(endpoint, "body", "moduleKey") != NULL;

	if (strcmp(parameter->name, "moduleKey") == 0)
		appendStringInfo(out, "{\"type\":\"string\",\"const\":\"%s\"}", module->module->key);
	else if (strcmp(parameter->name, "workflowState") == 0)
	{
		bool		any = document->context->administrator;

		json_literal(out, "{\"type\":[\"string\",\"null\"],");
		write_names(out, any ? module->module->states : &module->module->initial, any ? module->module->state_count : 1, true);
		appendStringInfoChar(out, '}');
	}
	else if (strcmp(parameter->name, "payload") == 0)
	{
		if (!parameter->required)
			json_literal(out, "{\"anyOf\":[");
		write_reference(out, module->name, !creates ? "Patch" : payload_has_defaults(module) ? "New" : "Payload");
		if (!parameter->required)
			json_literal(out, ",{\"type\":\"null\"}]}");
	}
	else if (transition && strcmp(parameter->name, "transition") == 0)
		appendStringInfo(out, "{\"type\":\"string\",\"const\":\"%s\"}", transition->name);
	else if (transition && strcmp(parameter->name, "comment") == 0 && transition->comment_required)
		json_literal(out, "{\"type\":\"string\",\"minLength\":1}");
	else
		write_row_schema(out, parameter);
}

/* The object of an endpoint's body members; module and transition may be NULL. */
static void
write_request(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint, const ApiModule *module,
			  const ModuleTransition *transition)
{
	int			count = 0;

	json_literal(out, "{\"type\":\"object\",\"properties\":{");
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const ApiParameter *parameter = &endpoint->parameters[i];

		if (strcmp(parameter->place, "body") != 0)
			continue;
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_name(out, parameter->name);
		if (module)
			write_typed_member(out, document, endpoint, parameter, module, transition);
		else
			write_row_schema(out, parameter);
	}
	json_literal(out, "},\"required\":[");
	count = 0;
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const ApiParameter *parameter = &endpoint->parameters[i];

		if (strcmp(parameter->place, "body") == 0 &&
			(parameter->required || (transition && transition->comment_required && strcmp(parameter->name, "comment") == 0)))
			appendStringInfo(out, "%s\"%s\"", count++ > 0 ? "," : "", parameter->name);
	}
	json_literal(out, "],\"additionalProperties\":false");
	if (transition)
	{
		appendStringInfo(out, ",\"title\":\"%s\",\"description\":", transition->name);
		write_transition_text(out, transition);
	}
	appendStringInfoChar(out, '}');
}

/* A request about one module; that of transitions has one form for each. */
static void
write_module_request(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint, const ApiModule *module)
{
	int			count = 0;
	int			total = 0;

	if (endpoint_parameter(endpoint, "body", "transition") == NULL)
	{
		write_request(out, document, endpoint, module, NULL);
		return;
	}
	for (int i = 0; i < module->module->transition_count; i++)
		total += document_may_fire(document, module, &module->module->transitions[i]);
	if (total > 1)
		json_literal(out, "{\"oneOf\":[");
	for (int i = 0; i < module->module->transition_count; i++)
	{
		const ModuleTransition *transition = &module->module->transitions[i];

		if (!document_may_fire(document, module, transition))
			continue;
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		write_request(out, document, endpoint, module, transition);
	}
	if (total > 1)
		json_literal(out, "]}");
}

/* "RecordCreate" and, by module, "IncidentsCreate". */
static void
add_requests(Components *all)
{
	const ApiDocument *document = all->document;

	for (int i = 0; i < document->endpoint_count; i++)
	{
		const ApiEndpoint *endpoint = &document->endpoints[i];
		uint32		action;
		StringInfo	out;
		char	   *suffix;

		if (!endpoint_has_place(endpoint, "body"))
			continue;
		out = add_component(all, document_pascal(endpoint->operation));
		if (!endpoint_is_typed(document, endpoint))
		{
			write_request(out, document, endpoint, NULL, NULL);
			continue;
		}
		action = permission_action_parse(endpoint->action);
		suffix = document_pascal(strchr(endpoint->operation, '_') ? strchr(endpoint->operation, '_') : endpoint->operation);
		write_choice(out, document, suffix, action, endpoint_parameter(endpoint, "body", "moduleKey") != NULL);
		for (int j = 0; j < document->module_count; j++)
			if (document->modules[j].actions & action)
				write_module_request(add_component(all, psprintf("%s%s", document->modules[j].name, suffix)), document, endpoint,
									 &document->modules[j]);
	}
}

static void
add_payloads(Components *all)
{
	for (int i = 0; i < all->document->module_count; i++)
	{
		const ApiModule *module = &all->document->modules[i];

		payload_write(add_component(all, psprintf("%sPayload", module->name)), module);
		payload_write_new(add_component(all, psprintf("%sNew", module->name)), module);
		payload_write_patch(add_component(all, psprintf("%sPatch", module->name)), module);
	}
}

/* Mark what text refers to, and what that refers to. */
static void
mark_used(HTAB *by_name, const char *text)
{
	while ((text = strstr(text, REFERENCE)) != NULL)
	{
		char		name[NAMEDATALEN * 2] = "";
		size_t		length = strcspn(text + strlen(REFERENCE), "\"/");
		ComponentEntry *found;

		text += strlen(REFERENCE);
		memcpy(name, text, Min(length, sizeof(name) - 1));
		found = hash_search(by_name, name, HASH_FIND, NULL);
		if (found == NULL || found->component->used)
			continue;
		found->component->used = true;
		mark_used(by_name, found->component->text.data);
	}
}

void
components_write(StringInfo out, const ApiDocument *document, const char *roots)
{
	Components	all = {.capacity = 64,.document = document};
	HASHCTL		control = {.keysize = NAMEDATALEN * 2,.entrysize = sizeof(ComponentEntry),.hcxt = CurrentMemoryContext};
	HTAB	   *by_name = hash_create("qehs components", 128, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	int			count = 0;

	all.items = palloc(sizeof(Component) * all.capacity);
	add_fixed(&all);
	add_problem(&all);
	add_records(&all);
	add_conditions(&all);
	add_filters(&all);
	add_requests(&all);
	add_payloads(&all);
	for (int i = 0; i < all.count; i++)
	{
		ComponentEntry *entry = hash_search(by_name, all.items[i].name, HASH_ENTER, NULL);

		entry->component = &all.items[i];
	}
	mark_used(by_name, roots);
	for (int i = 0; i < all.count; i++)
	{
		if (!all.items[i].used)
			continue;
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_name(out, all.items[i].name);
		appendBinaryStringInfo(out, all.items[i].text.data, all.items[i].text.len);
	}
}
