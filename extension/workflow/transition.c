/*
 * transition.c
 *	  Finding the transition that a caller wants, and those that he may fire.
 */
#include "base/compat.h"

#include "base/json.h"
#include "workflow/workflow.h"

bool
workflow_starts_in(const ModuleTransition *transition, const char *state)
{
	if (transition->from_count < 0)
		return true;
	for (int i = 0; i < transition->from_count; i++)
		if (strcmp(transition->from[i], state) == 0)
			return true;
	return false;
}

static void
write_available(StringInfo out, const ModuleTransition *transition)
{
	json_literal(out, "{\"name\":");
	json_string(out, transition->name);
	json_literal(out, ",\"to\":");
	json_string(out, transition->to);
	json_literal(out, ",\"requires\":[");
	for (int i = 0; i < transition->requires_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, transition->requires[i]);
	}
	appendStringInfoChar(out, ']');
	if (transition->description)
	{
		json_literal(out, ",\"description\":");
		json_string(out, transition->description);
	}
	appendStringInfoChar(out, '}');
}

void
workflow_write_available(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	bool		first = true;

	json_literal(out, ",\"availableTransitions\":[");
	for (int i = 0; i < module->transition_count; i++)
	{
		const ModuleTransition *transition = &module->transitions[i];

		if (!workflow_starts_in(transition, record->workflow_state) || !workflow_may_fire(context, module, transition, record))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		write_available(out, transition);
	}
	appendStringInfoChar(out, ']');
}

const ModuleTransition *
workflow_find_transition(const ModuleDef *module, const char *name, const Record *record)
{
	const ModuleTransition *transition = module_transition(module, name);

	if (transition == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/transition", "enum", "is not a transition of module \"%s\"", module->key);
	if (!workflow_starts_in(transition, record->workflow_state))
		problem_raise_at(PROBLEM_TRANSITION_NOT_ALLOWED, "/transition", "state",
						 "cannot be fired in state \"%s\"", record->workflow_state);
	return transition;
}

const ModuleDef *
workflow_open(const RequestContext *context, const char *wire, const char *name, const char *if_match, Record *record)
{
	const ModuleTransition *transition;
	const ModuleDef *module;
	pg_uuid_t	id;
	int32		module_id;
	int32		version;

	record_parse_id(wire, &id);
	module_id = record_hold_module(context, &id, &version);
	module = module_lookup_version(context->tenant_id, module_id, version);
	transition = module ? module_transition(module, name) : NULL;
	if (transition)
		children_lock(context->tenant_id, module, transition, &id);
	record_fetch(context, &id, RECORD_FOR_UPDATE_HELD, false, record);
	if (record->definition_version != version)
	{
		/* it was moved meanwhile: the guards may be others */
		module = record_module(context, record);
		transition = module_transition(module, name);
		if (transition)
			children_lock(context->tenant_id, module, transition, &id);
	}
	module = record_module(context, record);
	record_require(context, module, ACTION_READ, record);
	record_check_if_match(module, if_match, record->version);
	return module;
}
