/*
 * plan.c
 *	  Kept SPI plans.
 *
 * The static pointer is assigned last, so that an error while preparing leaves
 * it NULL and the next call tries again.
 */
#include "compat.h"

#include "access/xact.h"
#include "plan.h"
#include "utils/snapmgr.h"

SPIPlanPtr
plan_prepare(const char *sql, int argument_count, Oid *argument_types, int options)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, argument_count, argument_types, options);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	return plan;
}

uint64
plan_execute(KeptPlan *plan, Datum *values, const char *nulls, bool read_only, int64 limit)
{
	int			result;

	if (plan->prepared == NULL)
		plan->prepared = plan_prepare(plan->sql, plan->argument_count, plan->argument_types, 0);
	result = SPI_execute_plan(plan->prepared, values, nulls, read_only, limit);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
plan_execute_latest(KeptPlan *plan, Datum *values, const char *nulls, int64 limit)
{
	uint64		rows;

	/* a parallel leader may not take one; its own is as good as new */
	if (IsInParallelMode())
		return plan_execute(plan, values, nulls, true, limit);
	PushActiveSnapshot(GetLatestSnapshot());
	rows = plan_execute(plan, values, nulls, true, limit);
	PopActiveSnapshot();
	return rows;
}

Datum
plan_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}
