/*
 * plan.c
 *	  Kept SPI plans.
 *
 * The static pointer is assigned last, so that an error while preparing leaves
 * it NULL and the next call tries again.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/plan.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Planning takes some 0.1 ms: at most a thousandth of the time goes to it. */
#define MAX_USES 1024
#define MAX_AGE_MS 200

PreparedPlan
plan_prepare(const char *sql, int argument_count, Oid *argument_types, int options)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, argument_count, argument_types, options);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	return (PreparedPlan) {.plan = plan,.made_at = GetCurrentStatementStartTimestamp()};
}

/* A plan that is in use, by an outer call, lives until that ends. */
static void
forget_generic_plan(SPIPlanPtr plan)
{
	ListCell   *cell;

	foreach(cell, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *source = lfirst(cell);

		if (source->gplan)
			source->gplan->is_valid = false;
	}
}

SPIPlanPtr
plan_use(PreparedPlan *prepared)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	if (++prepared->uses > MAX_USES || TimestampDifferenceExceeds(prepared->made_at, now, MAX_AGE_MS))
	{
		forget_generic_plan(prepared->plan);
		prepared->uses = 1;
		prepared->made_at = now;
	}
	return prepared->plan;
}

static void
prepare_kept(KeptPlan *kept, int options)
{
	PreparedPlan prepared = plan_prepare(kept->sql, kept->argument_count, kept->argument_types, options);

	kept->prepared = MemoryContextAlloc(TopMemoryContext, sizeof(PreparedPlan));
	*kept->prepared = prepared;
}

void
plan_renew(KeptPlan *plan)
{
	if (plan->prepared)
		plan->prepared->uses = MAX_USES;
}

static uint64
execute(KeptPlan *plan, int options, Datum *values, const char *nulls, bool read_only, int64 limit)
{
	int			result;

	if (plan->prepared == NULL)
		prepare_kept(plan, options);
	result = SPI_execute_plan(plan_use(plan->prepared), values, nulls, read_only, limit);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
plan_execute(KeptPlan *plan, Datum *values, const char *nulls, bool read_only, int64 limit)
{
	return execute(plan, 0, values, nulls, read_only, limit);
}

uint64
plan_execute_generic(KeptPlan *plan, Datum *values, const char *nulls, bool read_only, int64 limit)
{
	return execute(plan, CURSOR_OPT_GENERIC_PLAN, values, nulls, read_only, limit);
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

char *
plan_text(uint64 row, int column)
{
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}
