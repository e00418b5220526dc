/*
 * quota.c
 *	  The sum of what a tenant has stored, against its quota.
 */
#include "base/compat.h"

#include "attachment/quota.h"
#include "base/error.h"
#include "base/plan.h"
#include "catalog/pg_type.h"

/* The lock makes those of a tenant who ask wait for each other. */
static KeptPlan select_quota = {
	"SELECT storage_quota FROM qehs.tenant WHERE id = $1 AND storage_quota IS NOT NULL FOR NO KEY UPDATE", 1, {INT4OID}, NULL
};
static KeptPlan select_used = {
	"SELECT (SELECT COALESCE(pg_catalog.sum(COALESCE(a.size_bytes, a.announced_size, 0)), 0)::pg_catalog.int8 FROM qehs.attachment AS a"
	" WHERE a.tenant_id = $1 AND a.removed_at IS NULL AND a.id IS DISTINCT FROM $2)"
	" + (SELECT COALESCE(pg_catalog.sum(j.input_bytes), 0)::pg_catalog.int8 FROM qehs.job AS j WHERE j.tenant_id = $1 AND j.input_bytes IS NOT NULL)",
	2, {INT4OID, UUIDOID}, NULL
};

/* Fills quota and used; false when the tenant has no quota. */
static bool
measure(int32 tenant_id, const pg_uuid_t *without, int64 *quota, int64 *used)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), UUIDPGetDatum(without)};
	bool		isnull;

	if (plan_execute(&select_quota, values, NULL, false, 1) == 0)
		return false;
	*quota = DatumGetInt64(plan_value(0, 1, &isnull));
	plan_execute(&select_used, values, without ? NULL : " n", false, 1);
	*used = DatumGetInt64(plan_value(0, 1, &isnull));
	return true;
}

int64
quota_left(int32 tenant_id, const pg_uuid_t *without)
{
	int64		quota;
	int64		used;

	return measure(tenant_id, without, &quota, &used) ? Max(quota - used, 0) : -1;
}

void
quota_require(int32 tenant_id, int64 size)
{
	int64		quota;
	int64		used;

	if (measure(tenant_id, NULL, &quota, &used) && (used + Max(size, 0) > quota || used >= quota))
		problem_raise(PROBLEM_INSUFFICIENT_STORAGE, "Delete attachments, or have the quota raised (qehs.storage_quota_set).",
					  "the tenant has stored %lld of its %lld bytes", (long long) used, (long long) quota);
}
