/*
 * query_execute.c
 *	  Runs the statements of lists (query.h).
 *
 * Plans are kept by SQL text, the shape of filter and sort, least recently used
 * out first.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "jit/jit.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "record/query.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

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
	bool		jit = jit_enabled;
	int			result = 0;

	/* the executor is stopped early: what a plan would cost to its end says nothing, and compiling it costs more than the page */
	jit_enabled = false;
	PG_TRY();
	{
		result = SPI_execute_plan(shape_plan(query, generic), query->values, NULL, true, (long) limit);
	}
	PG_FINALLY();
	{
		jit_enabled = jit;
	}
	PG_END_TRY();
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* The arguments of a query for the planner. */
static ParamListInfo
bound_values(const ListQuery *query)
{
	ParamListInfo values = makeParamList(query->count);

	for (int i = 0; i < query->count; i++)
		values->params[i] = (ParamExternData) {.value = query->values[i],.isnull = false,.pflags = PARAM_FLAG_CONST,.ptype = query->types[i]};
	return values;
}

double
query_expect(const ListQuery *query, const char *conditions, double *cost)
{
	StringInfoData sql;
	SPIPlanPtr	plan;
	CachedPlan *planned;
	const Plan *tree;
	double		rows;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT FROM %s WHERE %s", query_source(query), conditions);
	plan = SPI_prepare_cursor(sql.data, query->count, unconstify(Oid *, &query->types[0]), CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	/* the plan dies with SPI_finish; only a kept one may have a resource owner */
	planned = GetCachedPlan(linitial(SPI_plan_get_plan_sources(plan)), bound_values(query), NULL, NULL);
	tree = linitial_node(PlannedStmt, planned->stmt_list)->planTree;
	rows = tree->plan_rows;
	if (cost)
		*cost = tree->total_cost;
	ReleaseCachedPlan(planned, NULL);
	return rows;
}
