/*
 * requests.c
 *	  Schemas of request bodies, from the parameters of the endpoints' rows: one
 *	  for each endpoint, and where it depends on the module one for each of them.
 */
#include "base/compat.h"

#include "base/json.h"
#include "openapi/component.h"

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
	if (transition->description)
		appendStringInfo(&text, "%s ", transition->description);
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
		appendStringInfo(out, "{\"type\":\"string\",\"enum\":[\"%s\"]}", module->module->key);
	else if (strcmp(parameter->name, "workflowState") == 0)
	{
		bool		any = (module->actions & ACTION_BULK_STATE) != 0;

		json_literal(out, "{\"anyOf\":[{\"type\":\"string\",");
		component_names(out, any ? module->module->states : &module->module->initial, any ? module->module->state_count : 1);
		json_literal(out, "},{\"type\":\"null\"}]}");
	}
	else if (strcmp(parameter->name, "payload") == 0)
	{
		if (!parameter->required)
			json_literal(out, "{\"anyOf\":[");
		component_reference(out, module->name, creates ? "New" : "Patch");
		if (!parameter->required)
			json_literal(out, ",{\"type\":\"null\"}]}");
	}
	else if (transition && strcmp(parameter->name, "transition") == 0)
		appendStringInfo(out, "{\"type\":\"string\",\"enum\":[\"%s\"]}", transition->name);
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
		appendStringInfo(out, ",\"title\":\"%sTransition%s\",\"description\":", module->name, document_pascal(transition->name));
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
		total += permission_may_fire(document->context, module->module, &module->module->transitions[i], &permission_some_record);
	if (total > 1)
		json_literal(out, "{\"oneOf\":[");
	for (int i = 0; i < module->module->transition_count; i++)
	{
		const ModuleTransition *transition = &module->module->transitions[i];

		if (!permission_may_fire(document->context, module->module, transition, &permission_some_record))
			continue;
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		write_request(out, document, endpoint, module, transition);
	}
	if (total > 1)
		json_literal(out, "]}");
}

void
components_add_requests(Components *all)
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
		out = component_add(all, document_pascal(endpoint->operation));
		if (!endpoint_is_typed(document, endpoint))
		{
			write_request(out, document, endpoint, NULL, NULL);
			continue;
		}
		action = module_action_parse(endpoint->action);
		suffix = document_pascal(strchr(endpoint->operation, '_') ? strchr(endpoint->operation, '_') : endpoint->operation);
		component_choice(out, document, suffix, action, endpoint_parameter(endpoint, "body", "moduleKey") != NULL);
		for (int j = 0; j < document->module_count; j++)
			if (document->modules[j].actions & action)
				write_module_request(component_add(all, psprintf("%s%s", document->modules[j].name, suffix)), document, endpoint,
									 &document->modules[j]);
	}
}
