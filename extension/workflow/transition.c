/*
 * transition.c
 *	  Which transitions of a workflow may be fired: state, permission, what a
 *	  transition requires, and its guard.
 */
#include "base/compat.h"

#include "base/json.h"
#include "record/guard.h"
#include "record/value.h"
#include "workflow/workflow.h"

static bool
starts_here(const ModuleTransition *transition, const char *state)
{
	if (transition->from_count < 0)
		return true;
	for (int i = 0; i < transition->from_count; i++)
		if (strcmp(transition->from[i], state) == 0)
			return true;
	return false;
}

/* Whether the caller may fire the transition: state, roles and when hold (requires aside). */
static bool
may_fire(Guard *guard, const ModuleDef *module, const ModuleTransition *transition, const Record *record)
{
	PermissionSubject subject = record_subject(record);

	return starts_here(transition, record->workflow_state) && permission_may_fire(guard->context, module, transition, &subject) &&
		(transition->when == NULL || guard_is_true(guard, transition->when, record->payload));
}

void
workflow_write_available(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	Guard		guard = {context, record->workflow_state, NULL};
	bool		first = true;

	json_literal(out, ",\"availableTransitions\":[");
	for (int i = 0; i < module->transition_count; i++)
	{
		const ModuleTransition *transition = &module->transitions[i];

		if (!may_fire(&guard, module, transition, record))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		json_literal(out, "{\"name\":");
		json_string(out, transition->name);
		json_literal(out, ",\"to\":");
		json_string(out, transition->to);
		json_literal(out, ",\"requires\":[");
		for (int j = 0; j < transition->requires_count; j++)
		{
			if (j > 0)
				appendStringInfoChar(out, ',');
			json_string(out, transition->requires[j]);
		}
		appendStringInfoChar(out, ']');
		if (transition->description)
		{
			json_literal(out, ",\"description\":");
			json_string(out, transition->description);
		}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

const ModuleTransition *
workflow_find_transition(const RequestContext *context, const ModuleDef *module, const char *name, const Record *record)
{
	const ModuleTransition *transition = module_transition(module, name);
	PermissionSubject subject = record_subject(record);

	if (transition == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/transition", "enum", "is not a transition of module \"%s\"", module->key);
	if (!starts_here(transition, record->workflow_state))
		problem_raise_at(PROBLEM_TRANSITION_NOT_ALLOWED, "/transition", "state",
						 "cannot be fired in state \"%s\"", record->workflow_state);
	if (!permission_may_fire(context, module, transition, &subject))
		problem_raise_at(PROBLEM_FORBIDDEN, "/transition", "roles", "is not permitted to the caller");
	return transition;
}

void
workflow_check_requires(const ModuleDef *module, const ModuleTransition *transition, Jsonb *payload, const char *comment, ViolationList *violations)
{
	for (int i = 0; i < transition->requires_count; i++)
	{
		const char *key = transition->requires[i];
		const ModuleField *field = module_field(module, key, strlen(key));
		JsonbValue	value;

		if (!json_member(&payload->root, key, strlen(key), &value) || value_is_empty(field ? field->type : FIELD_TEXT, &value))
			violation_add(violations, psprintf("/payload/%s", key), "required",
						  "is required by transition \"%s\"", transition->name);
	}
	if (transition->comment_required && (comment == NULL || *comment == '\0'))
		violation_add(violations, "/comment", "required", "is required by transition \"%s\"", transition->name);
}

void
workflow_check_guard(const RequestContext *context, const ModuleTransition *transition, const char *state, Jsonb *payload)
{
	Guard		guard = {context, state, NULL};

	if (transition->when && !guard_is_true(&guard, transition->when, payload))
		problem_raise_at(PROBLEM_GUARD_FAILED, "/transition", "when", "needs that %s", transition->when_text);
}
