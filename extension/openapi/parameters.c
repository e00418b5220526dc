/*
 * parameters.c
 *	  What an operation takes: its parameters and its request body.
 */
#include "base/compat.h"

#include "base/json.h"
#include "openapi/operation.h"
#include "record/sort.h"

static void
write_module_keys(StringInfo out, const ApiDocument *document)
{
	int			count = 0;

	json_literal(out, "{\"type\":\"string\",\"enum\":[");
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].actions & ACTION_READ)
		{
			if (count++ > 0)
				appendStringInfoChar(out, ',');
			json_string(out, document->modules[i].module->key);
		}
	json_literal(out, "]}");
}

/* Fields of the modules by which lists can be sorted, and all by which they can be trimmed. */
static void
write_field_choice(StringInfo out, const ApiDocument *document, bool sort)
{
	static const char *const own[] = {"id", "displayCode", "workflowState", "version", "createdAt", "updatedAt", "createdBy", "dueAt"};
	static const char *const selectable[] = {"moduleKey", "payload", "definitionVersion", "updatedBy", "deletedAt"};
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(own); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? "|" : "", own[i]);
	for (int i = 0; i < (int) lengthof(selectable) && !sort; i++)
		appendStringInfo(&names, "|%s", selectable[i]);
	for (int i = 0; i < document->module_count; i++)
	{
		const ModuleDef *module = document->modules[i].module;

		for (int j = 0; j < module->field_count && (document->modules[i].actions & ACTION_READ); j++)
			if (!sort || module->fields[j].ordered)
				appendStringInfo(&names, "|%s%s", sort ? "" : "payload[.]", module->fields[j].key);
	}
	json_literal(out, "{\"type\":\"string\",\"pattern\":");
	json_string(out, sort ? psprintf("^-?(%s)(,-?(%s)){0,%d}$", names.data, names.data, QEHS_SORT_KEYS - 1) : psprintf("^(%s)(,(%s))*$", names.data, names.data));
	appendStringInfoString(out, sort ? ",\"default\":\"-createdAt\"}" : "}");
}

/* The states of the modules, as a schema of one of them. */
static void
write_states(StringInfo out, const ApiDocument *document)
{
	int			count = 0;

	json_literal(out, "{\"type\":\"string\",\"enum\":[");
	for (int i = 0; i < document->module_count; i++)
	{
		const ModuleDef *module = document->modules[i].module;

		for (int j = 0; j < module->state_count && (document->modules[i].actions & ACTION_READ); j++)
		{
			bool		twice = false;

			for (int k = 0; k < i; k++)
				twice |= (document->modules[k].actions & ACTION_READ) && module_has_state(document->modules[k].module, module->states[j]);
			if (twice)
				continue;
			appendStringInfoString(out, count++ > 0 ? "," : "");
			json_string(out, module->states[j]);
		}
	}
	json_literal(out, "]}");
}

static bool
readable_modules(const ApiDocument *document)
{
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].actions & ACTION_READ)
			return true;
	return false;
}

static void
write_parameter(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint, const ApiParameter *parameter)
{
	bool		filter = strcmp(parameter->place, "filter") == 0;
	bool		typed = strcmp(parameter->name, "moduleKey") == 0 && strcmp(parameter->place, "query") == 0 &&
		readable_modules(document);
	bool		chooses = strcmp(parameter->name, "sort") == 0 || strcmp(parameter->name, "fields") == 0;
	JsonbValue	value;

	json_literal(out, "{\"name\":");
	json_string(out, parameter->name);
	appendStringInfo(out, ",\"in\":\"%s\"", filter ? "query" : parameter->place);
	if (parameter->required)
		json_literal(out, ",\"required\":true");
	if (filter)
		json_literal(out, ",\"style\":\"deepObject\",\"explode\":true");
	if (json_member(parameter->row, "description", 11, &value))
	{
		json_literal(out, ",\"description\":");
		json_jsonb_value(out, &value);
	}
	json_literal(out, ",\"schema\":");
	/* most clients write an object in an object wrongly or not at all, but all write a string */
	if (filter)
		json_literal(out, "{\"anyOf\":[{\"$ref\":\"#/components/schemas/RecordFilter\"},{\"type\":\"string\",\"contentMediaType\":\"application/json\","
					 "\"description\":\"The same as JSON text.\"}]}");
	else if (typed)
		write_module_keys(out, document);
	else if (strcmp(parameter->name, "status") == 0 && endpoint_parameter(endpoint, "query", "moduleKey") && readable_modules(document))
		write_states(out, document);
	else if (chooses && endpoint_parameter(endpoint, "query", "moduleKey") && readable_modules(document))
		write_field_choice(out, document, parameter->name[0] == 's');
	else if (json_member(parameter->row, "schema", 6, &value) && value.type == jbvBinary)
		json_jsonb_value(out, &value);
	else
		appendStringInfo(out, "{\"type\":\"%s\"}", parameter->type);
	if (!typed && json_member(parameter->row, "example", 7, &value))
	{
		json_literal(out, ",\"example\":");
		json_jsonb_value(out, &value);
	}
	appendStringInfoChar(out, '}');
}

void
parameters_write(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	json_literal(out, ",\"parameters\":[{\"$ref\":\"#/components/parameters/traceparent\"}");
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const char *place = endpoint->parameters[i].place;

		if (strcmp(place, "body") == 0 || strcmp(place, "document") == 0 || strcmp(place, "server") == 0 ||
			strcmp(place, "stored") == 0 || strcmp(place, "lines") == 0 || strcmp(place, "lineNumber") == 0 || strcmp(place, "headerLine") == 0)
			continue;
		appendStringInfoChar(out, ',');
		write_parameter(out, document, endpoint, &endpoint->parameters[i]);
	}
	if (strcmp(endpoint->method, "GET") != 0 && !endpoint->streams)
		json_literal(out, ",{\"$ref\":\"#/components/parameters/Idempotency-Key\"},{\"$ref\":\"#/components/parameters/Prefer\"}");
	else if (endpoint->async)
		json_literal(out, ",{\"name\":\"Prefer\",\"in\":\"header\",\"description\":\"respond-async keeps the body and answers 202 with the job that"
					 " loads it (RFC 7240).\",\"schema\":{\"type\":\"string\"},\"example\":\"respond-async\"}");
	else if (endpoint->etag)
		json_literal(out, ",{\"$ref\":\"#/components/parameters/If-None-Match\"}");
	appendStringInfoChar(out, ']');
}

/* ---- request body ---- */

static void
write_examples(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	int			count = 0;
	int			start = out->len;

	json_literal(out, ",\"examples\":{");
	for (int i = 0; i < document->module_count; i++)
	{
		const ApiModule *module = &document->modules[i];
		StringInfoData body;

		/* which transition suits depends on the record: its schema has them all */
		if (!(module->actions & module_action_parse(endpoint->action)) || endpoint_parameter(endpoint, "body", "transition"))
			continue;
		initStringInfo(&body);
		if (!example_body(&body, endpoint, module))
			continue;
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_name(out, module->module->key);
		json_literal(out, "{\"summary\":");
		json_string(out, module->label);
		appendStringInfo(out, ",\"value\":%s}", body.data);
	}
	appendStringInfoChar(out, '}');
	if (count == 0)
	{
		out->len = start;
		out->data[start] = '\0';
	}
}

/* The body of a stream has no schema beyond text. */
static void
write_stream_body(StringInfo out, const ApiEndpoint *endpoint)
{
	json_literal(out, ",\"requestBody\":{\"required\":true,\"content\":{\"application/x-ndjson\":{\"schema\":{\"type\":\"string\"},\"example\":");
	json_string(out, example_lines(endpoint));
	if (example_rows(endpoint))
	{
		json_literal(out, "},\"text/csv\":{\"schema\":{\"type\":\"string\"},\"example\":");
		json_string(out, example_rows(endpoint));
	}
	json_literal(out, "}}}");
}

static void
write_document_body(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	bool		required = false;
	const ApiParameter *whole = NULL;
	JsonbValue	schema;

	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const ApiParameter *parameter = &endpoint->parameters[i];
		bool		document_wide = strcmp(parameter->place, "document") == 0;

		if (document_wide)
			whole = parameter;
		required = required || (parameter->required && (document_wide || strcmp(parameter->place, "body") == 0));
	}
	json_literal(out, ",\"requestBody\":{\"required\":");
	json_bool(out, required);
	appendStringInfo(out, ",\"content\":{\"%s\":{\"schema\":", endpoint_body_media(endpoint));
	if (whole && json_member(whole->row, "schema", 6, &schema) && schema.type == jbvBinary)
		json_jsonb_value(out, &schema);
	else if (whole)
		json_literal(out, "{\"type\":\"object\"}");
	else
		appendStringInfo(out, "{\"$ref\":\"#/components/schemas/%s\"}", document_pascal(endpoint->operation));
	if (endpoint_is_typed(document, endpoint))
		write_examples(out, document, endpoint);
	else
	{
		StringInfoData body;

		initStringInfo(&body);
		if (example_body(&body, endpoint, NULL))
			appendStringInfo(out, ",\"example\":%s", body.data);
	}
	json_literal(out, "}}}");
}

void
request_body_write(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	if (endpoint->streams)
		write_stream_body(out, endpoint);
	else if (endpoint->has_body)
		write_document_body(out, document, endpoint);
}
