/*
 * record_update.c
 *	  qehs.record_update: a patch is merged into a record (RFC 7396) and the outcome checked.
 *
 * The row is locked before it is read, so of two writers the second sees what
 * the first stored; If-Match is compared after the lock.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "change/change.h"
#include "fmgr.h"
#include "module/locale.h"
#include "utils/builtins.h"

/* The arguments of qehs.record_update. */
enum
{
	ARGUMENT_ID, ARGUMENT_PAYLOAD, ARGUMENT_COMMENT, ARGUMENT_IF_MATCH, ARGUMENT_ACCEPT_LANGUAGE
};

PG_FUNCTION_INFO_V1(qehs_record_update);

/* record_update(id, payload, comment, if_match, accept_language) */
Datum
qehs_record_update(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	Record		before;
	Record		after;
	char	   *comment = argument_text(fcinfo, ARGUMENT_COMMENT);
	Change		change = change_make(AUDIT_UPDATE, &before, &after);
	StringInfoData out;

	if (PG_ARGISNULL(ARGUMENT_PAYLOAD) || !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(ARGUMENT_PAYLOAD)))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/payload", PG_ARGISNULL(ARGUMENT_PAYLOAD) ? "required" : "type", "must be an object");
	json_begin(&out);
	SPI_connect();
	module = record_open(context, argument_text(fcinfo, ARGUMENT_ID), ACTION_UPDATE, argument_text(fcinfo, ARGUMENT_IF_MATCH), &before);
	after = before;
	after.payload = record_check_patch(context, module, &before, PG_GETARG_JSONB_P(ARGUMENT_PAYLOAD), NULL, before.workflow_state,
									   &violations);
	locale_name_fields(module->definition, argument_text(fcinfo, ARGUMENT_ACCEPT_LANGUAGE), &violations);
	violation_raise(&violations);
	/* a patch that changes nothing makes no version */
	if (comment || compareJsonbContainers(&before.payload->root, &after.payload->root) != 0)
	{
		change.event.comment = comment;
		record_apply_one(context, &change);
	}
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
