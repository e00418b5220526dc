/*
 * record_restore.c
 *	  qehs.record_restore: a deleted record lives again, as it was.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "change/change.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(qehs_record_restore);

/* The arguments of qehs.record_restore. */
enum
{
	ARGUMENT_ID, ARGUMENT_IF_MATCH
};

/* record_restore(id, if_match) */
Datum
qehs_record_restore(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	const ModuleDef *module;
	Record		before;
	Record		after;
	Change		change = change_make(AUDIT_RESTORE, &before, &after);
	pg_uuid_t	id;
	StringInfoData out;

	record_parse_id(argument_text(fcinfo, ARGUMENT_ID), &id);
	json_begin(&out);
	SPI_connect();
	record_fetch(context, &id, RECORD_FOR_UPDATE, true, &before);
	module = record_module(context, &before);
	record_require(context, module, ACTION_DELETE, &before);
	/* nobody can read the version of a deleted record: to restore it needs none, whatever the module demands */
	context_check_if_match(argument_text(fcinfo, ARGUMENT_IF_MATCH), before.version);
	if (!before.deleted)
		problem_raise(PROBLEM_CONFLICT, NULL, "the record is not deleted");
	after = before;
	after.deleted = false;
	after.deleted_at = 0;
	record_apply_one(context, &change);
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
