/*
 * list_count.c
 *	  How many records a list has over all its pages: counted, or estimated.
 *
 * An estimate counts as far as that costs nothing to speak of, and then asks the
 * planner, which knows the table's statistics and the values of the filter.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "nodes/plannodes.h"
#include "record/list_search.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

/* Beyond so many an estimate is one. */
#define COUNTED 10000

/* The number that a statement gives in its one row. */
static int64
count_rows(ListQuery *query)
{
	bool		isnull;

	query_execute(query, false, 1);
	return DatumGetInt64(plan_value(0, 1, &isnull));
}

int64
list_count(ListWalk *walk)
{
	ListQuery	query = walk->query;

	if (walk->besides)
		return list_search_count(walk);
	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT pg_catalog.count(*) FROM qehs.record AS %s WHERE %s", query.alias, walk->conditions);
	return count_rows(&query);
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

/* How many rows the planner expects, by the values of the conditions. */
static double
planned_rows(const ListWalk *walk)
{
	ListQuery	query = walk->query;
	SPIPlanPtr	plan;
	CachedPlan *planned;
	double		rows;

	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT FROM qehs.record AS %s WHERE %s", query.alias, walk->conditions);
	plan = SPI_prepare_cursor(query.sql.data, query.count, query.types, CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	/* the plan dies with SPI_finish; only a kept one may have a resource owner */
	planned = GetCachedPlan(linitial(SPI_plan_get_plan_sources(plan)), bound_values(&query), NULL, NULL);
	rows = linitial_node(PlannedStmt, planned->stmt_list)->planTree->plan_rows;
	ReleaseCachedPlan(planned, NULL);
	return rows;
}

int64
list_estimate(ListWalk *walk, bool *estimated)
{
	ListQuery	query = walk->query;
	int64		count;

	*estimated = false;
	if (walk->besides)
		return list_search_count(walk);
	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT pg_catalog.count(*) FROM (SELECT FROM qehs.record AS %s WHERE %s LIMIT %d) AS s", query.alias, walk->conditions,
					 COUNTED + 1);
	count = count_rows(&query);
	*estimated = count > COUNTED;
	return *estimated ? (int64) Max(planned_rows(walk), (double) count) : count;
}
