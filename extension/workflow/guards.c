/*
 * guards.c
 *	  What must hold before a transition is fired.
 *
 * All guards are looked at, and each that does not hold is told: who fixes one
 * learns of the others at once.  To who has not the role of a transition nothing is
 * said of values, where fields of the module are hidden from him.
 */
#include "base/compat.h"

#include "base/json.h"
#include "record/guard.h"
#include "record/value.h"
#include "workflow/approval.h"

/* "a, b" */
static char *
joined(const char *const *names, int count)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < count; i++)
		appendStringInfo(&out, "%s%s", i > 0 ? ", " : "", names[i]);
	return out.data;
}

void
workflow_require_action(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition, const Record *record)
{
	PermissionSubject subject = record_subject(record);

	if (transition->role_count == 0 && !permission_may_fire(context, module, transition, &subject))
		problem_raise_at(PROBLEM_FORBIDDEN, "/transition", "forbidden", "is not permitted to the caller, who lacks the action transition");
}

static void
check_roles(const Firing *firing, ViolationList *unmet)
{
	const ModuleTransition *transition = firing->transition;
	PermissionSubject subject = record_subject(firing->record);

	/* where only approvers are named, they are asked for by the guard approvers */
	if (firing->approves || (transition->step_count > 0 && transition->role_count == 0) ||
		permission_may_fire(firing->context, firing->module, transition, &subject))
		return;
	violation_add(unmet, "/transition", "roles", "needs one of the roles %s", joined(transition->roles, transition->role_count));
}

void
workflow_check_requires(const Firing *firing, ViolationList *unmet)
{
	const ModuleTransition *transition = firing->transition;

	for (int i = 0; i < transition->requires_count; i++)
	{
		const char *key = transition->requires[i];
		const ModuleField *field = module_field(firing->module, key, strlen(key));
		JsonbValue	value;

		if (!json_member(&firing->payload->root, key, strlen(key), &value) || value_is_empty(field ? field->type : FIELD_TEXT, &value))
			violation_add(unmet, psprintf("/payload/%s", key), "required", "is required by transition \"%s\"", transition->name);
	}
}

/* Whether the caller is none of those who must not fire it: nobody verifies his own work, an administrator no more than others. */
static bool
is_another(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition, const Record *record)
{
	PermissionSubject subject = record_subject(record);

	return !permission_is_one_of(context, module, &subject, &transition->not_same_actor);
}

void
workflow_check_guards(const Firing *firing, ViolationList *unmet)
{
	const ModuleTransition *transition = firing->transition;
	Guard		guard = {firing->context, firing->record->workflow_state, NULL};

	check_roles(firing, unmet);
	if (unmet->count == 0 || permission_reads_all(firing->context, firing->module))
	{
		workflow_check_requires(firing, unmet);
		if (transition->when && !guard_is_true(&guard, transition->when, firing->payload))
			violation_add(unmet, "/transition", "when", "needs that %s", transition->when_text);
		files_check(firing, unmet);
	}
	if (!is_another(firing->context, firing->module, transition, firing->record))
		violation_add(unmet, "/transition", "notSameActorAs", "needs somebody else than %s",
					  joined(transition->not_same_actor.names, transition->not_same_actor.count));
	for (int i = 0; i < transition->children_count; i++)
	{
		StringInfoData text;

		if (children_hold(firing->context->tenant_id, &transition->children[i], &firing->record->id))
			continue;
		initStringInfo(&text);
		children_describe(&text, &transition->children[i]);
		violation_add(unmet, "/transition", "children", "%s", text.data);
	}
	if (transition->comment_required && (firing->comment == NULL || *firing->comment == '\0'))
		violation_add(unmet, "/comment", "required", "is required by transition \"%s\"", transition->name);
	if (transition->meanings.count >= 0 && !firing->signature_given)
		violation_add(unmet, "/signature", "required", "is required by transition \"%s\"", transition->name);
}

/* Whether the caller, or somebody who has delegated to him, could approve the transition now; one that has no approvers, fire it. */
static bool
may_move(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition, const Record *record)
{
	PermissionSubject subject = record_subject(record);
	Firing		firing = {.context = context, .module = module, .transition = transition, .record = record};
	ApprovalState state;
	pg_uuid_t	principal;
	int32		step;

	if (transition->step_count == 0)
		return permission_may_fire(context, module, transition, &subject);
	state = approval_state(context, transition, record);
	return approval_find(&firing, &state, false, &step, &principal);
}

bool
workflow_may_fire(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition, const Record *record)
{
	Guard		guard = {context, record->workflow_state, NULL};

	if (!may_move(context, module, transition, record) || !is_another(context, module, transition, record) ||
		(transition->when && !guard_is_true(&guard, transition->when, record->payload)))
		return false;
	for (int i = 0; i < transition->children_count; i++)
		if (!children_hold(context->tenant_id, &transition->children[i], &record->id))
			return false;
	return true;
}
