/*
 * list_count.c
 *	  How many records a list has over all its pages: counted, or estimated.
 *
 * An estimate counts as far as that costs nothing to speak of, and then asks the
 * planner, which knows the table's statistics and the values of the filter.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "record/list_search.h"
#include "record/search_index.h"

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
	bool		cut;

	if (walk->steps)
		return list_search_count(walk, PG_INT64_MAX, PG_INT64_MAX, &cut);
	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT pg_catalog.count(*) FROM %s WHERE %s", query_source(&query), walk->conditions);
	return count_rows(&query);
}

int64
list_estimate(ListWalk *walk, bool *estimated)
{
	ListQuery	query = walk->query;
	int64		count;
	bool		cut = false;

	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT pg_catalog.count(*) FROM (SELECT FROM %s WHERE %s LIMIT %d) AS s", query_source(&query), walk->conditions,
					 COUNTED + 1);
	count = walk->steps ? list_search_count(walk, COUNTED, search_index_most, &cut) : count_rows(&query);
	*estimated = cut || count > COUNTED;
	return *estimated ? (int64) Max(query_expect(&walk->query, walk->conditions, NULL), (double) count) : count;
}
