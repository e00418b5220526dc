/*
 * record_delete.c
 *	  qehs.record_delete: soft delete.
 *
 * A deleted record keeps its row; its slots, search text and unique values go,
 * so no list and no index sees it.  The event keeps the last payload.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/plan.h"
#include "change/change.h"
#include "fmgr.h"
#include "retention/hold.h"

PG_FUNCTION_INFO_V1(qehs_record_delete);

/* The arguments of qehs.record_delete. */
enum
{
	ARGUMENT_ID, ARGUMENT_IF_MATCH
};

/* record_delete(id, if_match) */
Datum
qehs_record_delete(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	const ModuleDef *module;
	Record		before;
	Record		after;
	pg_uuid_t	id;
	Change		change = change_make(AUDIT_DELETE, &before, &after);

	record_parse_id(argument_text(fcinfo, ARGUMENT_ID), &id);
	SPI_connect();
	hold_lock(context->tenant_id, false);
	change_hold_referrers(context, &id);
	module = record_open(context, argument_text(fcinfo, ARGUMENT_ID), ACTION_DELETE, argument_text(fcinfo, ARGUMENT_IF_MATCH), &before);
	hold_require_none(context->tenant_id, before.module_id, &id, "deleted");
	record_require_unlocked(context, module, &before, NULL);
	change_require_unreferred(context, &before);
	after = before;
	after.deleted = true;
	after.deleted_at = clock_transaction();
	record_apply_one(context, &change);
	SPI_finish();
	PG_RETURN_NULL();
}
