/*
 * record_transition.c
 *	  qehs.record_transition: one record moves along one arrow of its workflow.
 *
 * What its guards look at is held still, then the row is locked.  Order of
 * refusals: the transition exists and starts in this state, the action, the payload,
 * the guards, all of them (workflow/guards.c).
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "change/change.h"
#include "fmgr.h"
#include "module/locale.h"
#include "utils/builtins.h"
#include "workflow/workflow.h"

PG_FUNCTION_INFO_V1(qehs_record_transition);

/* record_transition(id, transition, payload, comment, signature, if_match, accept_language) */
Datum
qehs_record_transition(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	const ModuleTransition *transition;
	Firing		firing;
	Record		before;
	Record		after;
	Change		change = change_make(AUDIT_TRANSITION, &before, &after);
	char	   *comment = argument_text(fcinfo, 3);
	StringInfoData out;

	if (PG_ARGISNULL(1))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/transition", "required", "is required");
	if (!PG_ARGISNULL(2) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(2)))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/payload", "type", "must be an object");
	if (!PG_ARGISNULL(4))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/signature", "unsupported", "is not supported yet");
	json_begin(&out);
	SPI_connect();
	module = workflow_open(context, argument_text(fcinfo, 0), text_to_cstring(PG_GETARG_TEXT_PP(1)), argument_text(fcinfo, 5), &before);
	transition = workflow_find_transition(module, text_to_cstring(PG_GETARG_TEXT_PP(1)), &before);
	workflow_require_action(context, module, transition, &before);
	after = before;
	if (!PG_ARGISNULL(2) || module->reads_state)
		after.payload = record_check_patch(context, module, &before, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2),
										   transition, transition->to, &violations);
	locale_name_fields(module->definition, argument_text(fcinfo, 6), &violations);
	violation_raise(&violations);
	firing = (Firing) {context, module, transition, &before, after.payload, comment};
	workflow_check_guards(&firing, &violations);
	locale_name_fields(module->definition, argument_text(fcinfo, 6), &violations);
	violation_raise_as(PROBLEM_GUARD_FAILED, &violations);
	after.workflow_state = transition->to;
	change.event.transition = transition->name;
	change.event.comment = comment;
	record_apply_one(context, &change);
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
