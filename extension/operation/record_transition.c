/*
 * record_transition.c
 *	  qehs.record_transition: one record moves along one arrow of its workflow.
 *
 * The row is locked first.  Order of refusals: the transition exists and starts
 * in this state, the caller's roles, the payload, requires and comment, the
 * guard.  A tenant-owner or tenant-admin needs no role; state and guard hold
 * for everyone.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "fmgr.h"
#include "module/locale.h"
#include "utils/builtins.h"
#include "workflow/workflow.h"

PG_FUNCTION_INFO_V1(qehs_record_transition);

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
		json_literal(out, "]}");
	}
	appendStringInfoChar(out, ']');
}

/* The transition by name, startable in the record's state by this caller. */
static const ModuleTransition *
find_transition(const RequestContext *context, const ModuleDef *module, const char *name, const Record *record)
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

static void
check_requires(const ModuleTransition *transition, Jsonb *payload, const char *comment, ViolationList *violations)
{
	for (int i = 0; i < transition->requires_count; i++)
	{
		const char *key = transition->requires[i];
		JsonbValue	value;

		if (!json_member(&payload->root, key, strlen(key), &value) || value.type == jbvNull ||
			(value.type == jbvString && value.val.string.len == 0))
			violation_add(violations, psprintf("/payload/%s", key), "required",
						  "is required by transition \"%s\"", transition->name);
	}
	if (transition->comment_required && (comment == NULL || *comment == '\0'))
		violation_add(violations, "/comment", "required", "is required by transition \"%s\"", transition->name);
}

/* record_transition(id, transition, payload, comment, signature, if_match, accept_language) */
Datum
qehs_record_transition(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	const ModuleTransition *transition;
	Record		before;
	Record		after;
	AuditEvent	event = {AUDIT_TRANSITION, &before, &after, NULL, NULL, NULL};
	Guard		guard = {context, NULL, NULL};
	StringInfoData out;

	if (PG_ARGISNULL(1))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/transition", "required", "is required");
	event.comment = argument_text(fcinfo, 3);
	event.signature = PG_ARGISNULL(4) ? NULL : PG_GETARG_JSONB_P(4);
	if (!PG_ARGISNULL(2) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(2)))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/payload", "type", "must be an object");
	json_begin(&out);
	SPI_connect();
	module = record_open(context, argument_text(fcinfo, 0), ACTION_READ, argument_text(fcinfo, 5), &before);
	transition = find_transition(context, module, text_to_cstring(PG_GETARG_TEXT_PP(1)), &before);
	event.transition = transition->name;
	after = before;
	if (!PG_ARGISNULL(2) || module->reads_state)
		after.payload = record_check_patch(context, module, &before, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2),
										   transition->to, &violations);
	check_requires(transition, after.payload, event.comment, &violations);
	locale_name_fields(module->definition, argument_text(fcinfo, 6), &violations);
	violation_raise(&violations);
	guard.state = before.workflow_state;
	if (transition->when && !guard_is_true(&guard, transition->when, after.payload))
		problem_raise_at(PROBLEM_GUARD_FAILED, "/transition", "when", "needs that %s", transition->when_text);
	after.workflow_state = transition->to;
	record_store(context, module, &before, &after);
	audit_append(context, module, &event);
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
