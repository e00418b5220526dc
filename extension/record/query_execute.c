/*
 * query_execute.c
 *	  Runs the statements of lists (query.h).
 *
 * Plans are kept by SQL text, the shape of filter and sort, least recently used
 * out first.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "nodes/parsenodes.h"
#include "record/query.h"
#include "utils/memutils.h"

#define MAX_PLANS 128

typedef struct ShapePlan
{
	char	   *sql;
	PreparedPlan prepared;
	uint64		used;
} ShapePlan;

static ShapePlan plans[MAX_PLANS];
static uint64 plan_clock = 0;

/*
 * The kept plan of a shape, made when it is new.  A walk without conditions has
 * one good plan, so deep pages need not pay for planning with their position's
 * values; filters are planned for theirs, which may be rare or common.
 */
static SPIPlanPtr
shape_plan(ListQuery *query, bool generic)
{
	ShapePlan  *oldest = &plans[0];
	PreparedPlan prepared;
	char	   *sql;

	for (int i = 0; i < MAX_PLANS; i++)
	{
		if (plans[i].sql && strcmp(plans[i].sql, query->sql.data) == 0)
		{
			plans[i].used = ++plan_clock;
			return plan_use(&plans[i].prepared);
		}
		if (plans[i].used < oldest->used)
			oldest = &plans[i];
	}
	prepared = plan_prepare(query->sql.data, query->count, query->types, generic ? CURSOR_OPT_GENERIC_PLAN : 0);
	sql = MemoryContextStrdup(TopMemoryContext, query->sql.data);
	if (oldest->sql)
	{
		SPI_freeplan(oldest->prepared.plan);
		pfree(oldest->sql);
	}
	oldest->sql = sql;
	oldest->prepared = prepared;
	oldest->used = ++plan_clock;
	return plan_use(&oldest->prepared);
}

uint64
query_execute(ListQuery *query, bool generic, uint64 limit)
{
	int			result = SPI_execute_plan(shape_plan(query, generic), query->values, NULL, true, (long) limit);

	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}
