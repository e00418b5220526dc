/*
 * record_transition.c
 *	  qehs.record_transition, record_approve and record_reject: one record moves along
 *	  one arrow of its workflow, or comes nearer to it.
 *
 * What its guards look at is held still, then the row is locked.  Order of
 * refusals: the transition exists and starts in this state, the action, the payload,
 * the guards, all of them (workflow/guards.c), the credential of a signature.
 *
 * A transition with approvers is fired by the last approval.  One that comes before
 * it is stored, and the answer says what is missing.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "effect/effect.h"
#include "fmgr.h"
#include "module/locale.h"
#include "utils/builtins.h"
#include "workflow/approval.h"
#include "workflow/signature.h"

/* The arguments of qehs.record_transition. */
enum
{
	ARGUMENT_ID, ARGUMENT_TRANSITION, ARGUMENT_PAYLOAD, ARGUMENT_COMMENT, ARGUMENT_SIGNATURE, ARGUMENT_IF_MATCH, ARGUMENT_ACCEPT_LANGUAGE
};

/* The arguments of qehs.record_approve and qehs.record_reject. */
enum
{
	DECISION_ID, DECISION_TRANSITION, DECISION_COMMENT, DECISION_SIGNATURE, DECISION_IF_MATCH, DECISION_ACCEPT_LANGUAGE
};

PG_FUNCTION_INFO_V1(qehs_record_transition);
PG_FUNCTION_INFO_V1(qehs_record_approve);
PG_FUNCTION_INFO_V1(qehs_record_reject);
PG_FUNCTION_INFO_V1(qehs_record_approvals);

/* What a caller sends; NULL where it sends nothing. */
typedef struct Sent
{
	const char *id;
	const char *transition;
	Jsonb	   *payload;
	const char *comment;
	Jsonb	   *signature;
	const char *if_match;
	const char *accept_language;
} Sent;

/* A transition under way. */
typedef struct Move
{
	Firing		firing;
	Record		before;
	Record		after;
	ApprovalState approvals;
	int32		step;			/* that the caller approves, when firing.approves */
	pg_uuid_t	principal;		/* for whom */
} Move;

/* ---- what is sent ---- */

static void
check_sent(const Sent *sent)
{
	if (sent->transition == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/transition", "required", "is required");
	if (sent->payload && !JB_ROOT_IS_OBJECT(sent->payload))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/payload", "type", "must be an object");
}

/* The record as it is to be, with every fault of the payload and of the signature's form, whose meaning must be one of meanings. */
static void
check_request(const Sent *sent, const ModuleRoles *meanings, Move *move)
{
	const Firing *firing = &move->firing;
	ViolationList violations = {0};

	if (sent->payload && firing->transition->step_count > 0)
		violation_add(&violations, "/payload", "forbidden", "must be absent: approvals are of the record as it stands");
	else if (sent->payload || firing->module->reads_state)
		move->after.payload = record_check_patch(firing->context, firing->module, &move->before, sent->payload, firing->transition,
												 firing->transition->to, &violations);
	move->firing.payload = move->after.payload;
	if (violations.count > 0 && permission_reads_all(firing->context, firing->module))
		workflow_check_requires(firing, &violations);
	if (sent->signature)
		signature_check_form(sent->signature, meanings, &violations);
	locale_name_fields(firing->module->definition, sent->accept_language, &violations);
	violation_raise(&violations);
}

static void
check_guards(const Sent *sent, Move *move)
{
	ViolationList unmet = {0};

	workflow_check_guards(&move->firing, &unmet);
	if (move->firing.transition->step_count > 0 && !move->firing.approves)
	{
		StringInfoData text;

		initStringInfo(&text);
		approval_describe(&text, move->firing.transition, &move->approvals);
		violation_add(&unmet, "/transition", "approvers", "needs %s", text.data);
	}
	locale_name_fields(move->firing.module->definition, sent->accept_language, &unmet);
	violation_raise_as(PROBLEM_GUARD_FAILED, &unmet);
}

static void
sign(const Sent *sent, Move *move)
{
	const Firing *firing = &move->firing;
	bool		of_before = firing->transition->step_count > 0;

	if (sent->signature)
		move->firing.signature = signature_make(firing->context, &move->before, of_before ? move->before.payload : move->after.payload,
												of_before ? move->before.version : move->before.version + 1, sent->signature);
}

/* Open the record and find the transition, inside SPI. */
static void
begin(RequestContext *context, const Sent *sent, bool rejecting, Move *move)
{
	move->firing.context = context;
	move->firing.module = workflow_open(context, sent->id, sent->transition, sent->if_match, &move->before);
	move->firing.transition = workflow_find_transition(move->firing.module, sent->transition, &move->before);
	move->firing.record = &move->before;
	move->firing.comment = sent->comment;
	move->firing.signature_given = sent->signature != NULL;
	move->after = move->before;
	if (move->firing.transition->step_count == 0)
		return;
	move->approvals = approval_state(context, move->firing.transition, &move->before);
	move->firing.approves = approval_find(&move->firing, &move->approvals, rejecting, &move->step, &move->principal);
}

/* ---- answers ---- */

/* The record, and what its transition still lacks. */
static Datum
answer_pending(StringInfo out, RequestContext *context, const Move *move)
{
	ApprovalState state = approval_state(context, move->firing.transition, &move->before);

	record_write_answer(out, context, move->firing.module, &move->before);
	out->len--;
	json_literal(out, ",\"approvals\":");
	approval_write(out, move->firing.transition, &state);
	appendStringInfoChar(out, '}');
	SPI_finish();
	context_etag(context, move->before.version);
	return context_answer(out);
}

/* Fire the transition, or store the approval that it still waits for others with. */
static Datum
fire(RequestContext *context, const Sent *sent, bool approving)
{
	Move		move = {0};
	Change		change = change_make(AUDIT_TRANSITION, &move.before, &move.after);
	StringInfoData out;

	check_sent(sent);
	json_begin(&out);
	SPI_connect();
	begin(context, sent, false, &move);
	if (approving && move.firing.transition->step_count == 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/transition", "enum", "has no approvers");
	if (approval_is_given(&move.approvals, &context->actor_id))
		problem_raise_at(PROBLEM_CONFLICT, "/transition", "approved", "has been approved by the caller, or for him, already");
	if (move.firing.transition->step_count == 0)
		workflow_require_action(context, move.firing.module, move.firing.transition, &move.before);
	check_request(sent, &move.firing.transition->meanings, &move);
	check_guards(sent, &move);
	sign(sent, &move);
	if (move.firing.approves)
	{
		ApprovalState now;

		approval_store(&move.firing, move.step, &move.principal, true);
		now = approval_state(context, move.firing.transition, &move.before);
		if (!approval_is_complete(move.firing.transition, &now))
			return answer_pending(&out, context, &move);
	}
	change.event.signature = move.firing.signature;
	effect_fire(&move.firing, &move.after, &change);
	return record_close(&out, context, move.firing.module, &move.after);
}

/*
 * A rejection needs no guard of what is rejected; the transition that returns the record needs its own but for roles.
 * Who signs means that one: nobody rejects with the meaning "approved".
 */
static Datum
reject(RequestContext *context, const Sent *sent)
{
	Move		move = {0};
	Change		change = change_make(AUDIT_TRANSITION, &move.before, &move.after);
	const ModuleTransition *back = NULL;
	ModuleRoles any = {0};
	StringInfoData out;

	check_sent(sent);
	json_begin(&out);
	SPI_connect();
	begin(context, sent, true, &move);
	if (move.firing.transition->step_count == 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/transition", "enum", "has no approvers");
	if (!move.firing.approves)
		problem_raise_at(PROBLEM_FORBIDDEN, "/transition", "approvers", "is not for the caller to reject, who could not approve it now");
	if (move.firing.transition->reject)
		back = workflow_find_transition(move.firing.module, move.firing.transition->reject, &move.before);
	check_request(sent, back ? &back->meanings : &any, &move);
	sign(sent, &move);
	approval_store(&move.firing, move.step, &move.principal, false);
	if (back == NULL)
		return answer_pending(&out, context, &move);
	move.firing.transition = back;
	check_guards(sent, &move);
	change.event.signature = move.firing.signature;
	effect_fire(&move.firing, &move.after, &change);
	return record_close(&out, context, move.firing.module, &move.after);
}

/* ---- the functions ---- */

/* record_transition(id, transition, payload, comment, signature, if_match, accept_language) */
Datum
qehs_record_transition(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	Sent		sent = {
		.id = argument_text(fcinfo, ARGUMENT_ID),
		.transition = argument_text(fcinfo, ARGUMENT_TRANSITION),
		.payload = PG_ARGISNULL(ARGUMENT_PAYLOAD) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_PAYLOAD),
		.comment = argument_text(fcinfo, ARGUMENT_COMMENT),
		.signature = PG_ARGISNULL(ARGUMENT_SIGNATURE) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_SIGNATURE),
		.if_match = argument_text(fcinfo, ARGUMENT_IF_MATCH),
		.accept_language = argument_text(fcinfo, ARGUMENT_ACCEPT_LANGUAGE),
	};

	PG_RETURN_DATUM(fire(context, &sent, false));
}

/* The arguments of record_approve and record_reject: id, transition, comment, signature, if_match, accept_language. */
static Sent
decision_sent(FunctionCallInfo fcinfo)
{
	return (Sent) {
		.id = argument_text(fcinfo, DECISION_ID),
		.transition = argument_text(fcinfo, DECISION_TRANSITION),
		.comment = argument_text(fcinfo, DECISION_COMMENT),
		.signature = PG_ARGISNULL(DECISION_SIGNATURE) ? NULL : PG_GETARG_JSONB_P(DECISION_SIGNATURE),
		.if_match = argument_text(fcinfo, DECISION_IF_MATCH),
		.accept_language = argument_text(fcinfo, DECISION_ACCEPT_LANGUAGE),
	};
}

Datum
qehs_record_approve(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	Sent		sent = decision_sent(fcinfo);

	PG_RETURN_DATUM(fire(context, &sent, true));
}

Datum
qehs_record_reject(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	Sent		sent = decision_sent(fcinfo);

	PG_RETURN_DATUM(reject(context, &sent));
}

/* record_approvals(id) */
Datum
qehs_record_approvals(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	const ModuleDef *module;
	StringInfoData out;
	Record		record;
	pg_uuid_t	id;
	int			count = 0;

	record_parse_id(argument_text(fcinfo, 0), &id);
	json_begin(&out);
	SPI_connect();
	record_fetch(context, &id, RECORD_READ, false, &record);
	module = record_module(context, &record);
	record_require(context, module, ACTION_READ, &record);
	json_literal(&out, "{\"pending\":[");
	for (int i = 0; i < module->transition_count; i++)
	{
		ApprovalState state;

		if (module->transitions[i].step_count == 0 || !workflow_starts_in(&module->transitions[i], record.workflow_state))
			continue;
		if (count++ > 0)
			appendStringInfoChar(&out, ',');
		state = approval_state(context, &module->transitions[i], &record);
		approval_write(&out, &module->transitions[i], &state);
	}
	json_literal(&out, "],\"items\":[");
	approval_write_history(&out, context, &record);
	json_literal(&out, "]}");
	SPI_finish();
	/* no ETag: an approval comes while the version stays */
	PG_RETURN_DATUM(context_answer(&out));
}
