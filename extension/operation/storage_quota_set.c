/*
 * storage_quota_set.c
 *	  qehs.storage_quota_set: how much the attachments of a tenant may have.
 */
#include "base/compat.h"

#include "base/error.h"
#include "base/plan.h"
#include "caller/context.h"
#include "catalog/pg_type.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(qehs_storage_quota_set);

static KeptPlan set_quota = {"UPDATE qehs.tenant SET storage_quota = $2 WHERE id = $1", 2, {INT4OID, INT8OID}, NULL};

/* storage_quota_set(bytes) */
Datum
qehs_storage_quota_set(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	Datum		values[2] = {Int32GetDatum(context->tenant_id), PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0)};

	if (!PG_ARGISNULL(0) && PG_GETARG_INT64(0) < 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/bytes", "minimum", "must be at least 0");
	SPI_connect();
	plan_execute(&set_quota, values, PG_ARGISNULL(0) ? " n" : NULL, false, 0);
	SPI_finish();
	PG_RETURN_VOID();
}
