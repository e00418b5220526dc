/*
 * record_delete.c
 *	  Soft delete and restore.
 *
 * A deleted record keeps its row; its slots, search text and unique values go,
 * so no list and no index sees it.  The event keeps the last payload.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "audit/audit.h"
#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "fmgr.h"
#include "record/record.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_record_delete);
PG_FUNCTION_INFO_V1(qehs_record_restore);

/* Flip a record between live and deleted; inside SPI.  Gives its definition. */
static const ModuleDef *
flip(FunctionCallInfo fcinfo, RequestContext *context, bool delete, Record *after)
{
	const ModuleDef *module;
	Record		before;
	pg_uuid_t	id;
	char	   *if_match = argument_text(fcinfo, 1);
	AuditEvent	event = {delete ? AUDIT_DELETE : AUDIT_RESTORE, &before, delete ? NULL : after, NULL, NULL, NULL};

	record_parse_id(argument_text(fcinfo, 0), &id);
	record_fetch(context, &id, RECORD_FOR_UPDATE, !delete, &before);
	module = record_module(context, &before);
	record_require(context, module, ACTION_DELETE, &before);
	/* nobody can read the version of a deleted record: to restore it needs none */
	if (delete)
		record_check_if_match(module, if_match, before.version);
	else
		context_check_if_match(if_match, before.version);
	if (before.deleted != !delete)
		problem_raise(PROBLEM_CONFLICT, NULL, "the record is not deleted");
	*after = before;
	after->deleted = delete;
	after->deleted_at = delete ? GetCurrentTransactionStartTimestamp() : 0;
	record_store(context, module, &before, after);
	audit_append(context, module, &event);
	return module;
}

/* record_delete(id, if_match) */
Datum
qehs_record_delete(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	Record		after;

	SPI_connect();
	flip(fcinfo, context, true, &after);
	SPI_finish();
	PG_RETURN_NULL();
}

/* record_restore(id, if_match) */
Datum
qehs_record_restore(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	const ModuleDef *module;
	Record		after;
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	module = flip(fcinfo, context, false, &after);
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
