/*
 * components.c
 *	  Schemas of the document: fixed ones from the table, those of problems,
 *	  records and payloads.
 *
 * All are written, each into text of its own; only those go out that paths or
 * another one of them refers to.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "miscadmin.h"
#include "openapi/component.h"
#include "utils/builtins.h"

typedef struct ComponentEntry
{
	char		name[NAMEDATALEN * 2];
	Component  *component;
} ComponentEntry;

typedef enum RecordForm
{
	RECORD_WHOLE, RECORD_DETAIL, RECORD_SELECTION
} RecordForm;

static KeptPlan select_components = {"SELECT name, schema FROM qehs.openapi_component", 0, {0}, NULL};
/* The columns of select_components. */
enum
{
	COLUMN_NAME = 1, COLUMN_SCHEMA
};

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
		char	   *name = MemoryContextStrdup(memory, TextDatumGetCString(plan_value(i, COLUMN_NAME, &isnull)));
		char	   *schema = TextDatumGetCString(plan_value(i, COLUMN_SCHEMA, &isnull));
		MemoryContext previous = MemoryContextSwitchTo(memory);

		appendStringInfoString(component_add(all, name), schema);
		MemoryContextSwitchTo(previous);
	}
	SPI_finish();
}

/* ---- problems ---- */

static void
add_problem(Components *all)
{
	const ApiDocument *document = all->document;
	StringInfo	out = component_add(all, "Violation");

	json_literal(out, "{\"type\":\"object\",\"description\":\"What is wrong in one place of the request.\","
				 "\"required\":[\"path\",\"code\",\"message\"],\"properties\":{"
				 "\"path\":{\"type\":\"string\",\"description\":\"A JSON Pointer into the body (RFC 6901), ?parameter or @Header.\"},"
				 "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"}},\"additionalProperties\":false,"
				 "\"examples\":[{\"path\":\"/payload/severity\",\"code\":\"enum\",\"message\":\"must be one of the options\"}]}");
	out = component_add(all, "ProblemCode");
	json_literal(out, "{\"type\":\"string\",\"description\":\"A word for programs; type links to what it means.\",\"enum\":[");
	for (int i = 0; i < document->problem_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, document->problems[i].code);
	}
	json_literal(out, "]}");
	out = component_add(all, "Problem");
	json_literal(out, "{\"type\":\"object\",\"description\":\"An error (RFC 9457).\","
				 "\"required\":[\"type\",\"title\",\"status\",\"detail\",\"instance\",\"code\",\"traceId\"],\"properties\":{"
				 "\"type\":{\"type\":\"string\",\"format\":\"uri\"},\"title\":{\"type\":\"string\"},"
				 "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},\"detail\":{\"type\":\"string\"},"
				 "\"instance\":{\"type\":\"string\",\"format\":\"uri-reference\"},\"code\":{\"$ref\":\"" COMPONENT_REFERENCE "ProblemCode\"},"
				 "\"traceId\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"},"
				 "\"errors\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":100,\"items\":{\"$ref\":\"" COMPONENT_REFERENCE "Violation\"}}},"
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
	json_literal(out, ",\"properties\":{\"id\":{\"$ref\":\"" COMPONENT_REFERENCE "RecordId\"},\"moduleKey\":{\"type\":\"string\"");
	if (module)
		appendStringInfo(out, ",\"enum\":[\"%s\"]", module->module->key);
	json_literal(out, "},\"displayCode\":{\"type\":\"string\",\"examples\":[\"INC-2026-0001\"]},\"workflowState\":{\"type\":\"string\"");
	if (module)
	{
		appendStringInfoChar(out, ',');
		component_names(out, module->module->states, module->module->state_count);
	}
	json_literal(out, "},\"payload\":");
	if (module)
		component_reference(out, module->name, "Payload");
	else
		json_literal(out, "{\"type\":\"object\",\"description\":\"The fields of the module.\"}");
	json_literal(out, ",\"version\":{\"type\":\"integer\",\"minimum\":1},"
				 "\"definitionVersion\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"The definition that it was written against.\"},"
				 "\"createdAt\":{\"$ref\":\"" COMPONENT_REFERENCE "Time\"},\"updatedAt\":{\"$ref\":\"" COMPONENT_REFERENCE "Time\"},"
				 "\"createdBy\":{\"$ref\":\"" COMPONENT_REFERENCE "Actor\"},\"updatedBy\":{\"$ref\":\"" COMPONENT_REFERENCE "Actor\"},"
				 "\"deletedAt\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},"
				 "\"dueAt\":{\"type\":\"string\",\"format\":\"date-time\",\"description\":\"When it is due to leave its state; absent where that has no deadline.\"}");
	if (form == RECORD_WHOLE)
		json_literal(out, ",\"approvals\":{\"$ref\":\"" COMPONENT_REFERENCE "PendingApproval\"}");
	if (form == RECORD_DETAIL)
		json_literal(out, ",\"activity\":{\"type\":\"array\",\"maxItems\":50,\"items\":{\"$ref\":\"" COMPONENT_REFERENCE "Activity\"}},"
					 "\"attachments\":{\"type\":\"array\",\"items\":{\"$ref\":\"" COMPONENT_REFERENCE "Attachment\"}},"
					 "\"availableTransitions\":{\"type\":\"array\",\"items\":{\"$ref\":\"" COMPONENT_REFERENCE "AvailableTransition\"}},"
					 "\"legalHolds\":{\"type\":\"array\",\"description\":\"The legal holds over the record, for a caller who may place them; absent where there is none.\","
					 "\"items\":{\"$ref\":\"" COMPONENT_REFERENCE "RecordHold\"}}");
	json_literal(out, "},\"additionalProperties\":false}");
}

/* Of any module they are AnyRecord: Record is a word of TypeScript, which a client's type would hide. */
static void
add_records(Components *all)
{
	static const struct
	{
		const char *name;
		const char *suffix;
		RecordForm	form;
	}			forms[] = {{"AnyRecord", "Record", RECORD_WHOLE}, {"RecordDetail", "RecordDetail", RECORD_DETAIL}};

	for (int i = 0; i < (int) lengthof(forms); i++)
	{
		StringInfo	out = component_add(all, forms[i].name);

		if (!component_choice(out, all->document, forms[i].suffix, ACTION_ALL, true))
		{
			resetStringInfo(out);
			write_record(out, NULL, forms[i].form);
		}
		for (int j = 0; j < all->document->module_count; j++)
		{
			const ApiModule *module = &all->document->modules[j];

			write_record(component_add(all, psprintf("%s%s", module->name, forms[i].suffix)), module, forms[i].form);
		}
	}
	write_record(component_add(all, "RecordSelection"), NULL, RECORD_SELECTION);
}
/* ---- payloads ---- */

static void
add_payloads(Components *all)
{
	for (int i = 0; i < all->document->module_count; i++)
	{
		const ApiModule *module = &all->document->modules[i];

		payload_write(component_add(all, psprintf("%sPayload", module->name)), module);
		payload_write_new(component_add(all, psprintf("%sNew", module->name)), module);
		payload_write_patch(component_add(all, psprintf("%sPatch", module->name)), module);
	}
}

/* Mark what text refers to, and what that refers to. */
static void
mark_used(HTAB *by_name, const char *text)
{
	check_stack_depth();
	while ((text = strstr(text, COMPONENT_REFERENCE)) != NULL)
	{
		char		name[NAMEDATALEN * 2] = "";
		size_t		length = strcspn(text + strlen(COMPONENT_REFERENCE), "\"/");
		ComponentEntry *found;

		text += strlen(COMPONENT_REFERENCE);
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
	components_add_filters(&all);
	components_add_requests(&all);
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
