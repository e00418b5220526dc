/*
 * planner.c
 *	  Joins of reporting views that reach the indexes of qehs.record.
 *
 * PostgreSQL plans a security barrier view by itself: a join of two reads one of
 * them whole.  For UPDATE through such a view it does better, and makes the view's
 * WHERE the security quals of its table, as those of row security are; then the
 * view is planned with the query around it.  A hook does the same for SELECT with views of one table,
 * qehs.record, and what is computed from its row (the rows of a table field).
 * Nothing else changes: what is not leakproof is still computed behind the security
 * quals (optimizer/README, "RLS and security barriers").
 *
 * A session that has not loaded the library yet, where it is not preloaded, plans
 * without the hook, to the same results.
 */
#include "base/compat.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "report/report.h"
#include "utils/lsyscache.h"

static planner_hook_type previous_planner = NULL;

/* The table that all records are in; InvalidOid where the extension is not there. */
static Oid
record_table(void)
{
	Oid			schema = get_namespace_oid("qehs", true);

	return OidIsValid(schema) ? get_relname_relid("record", schema) : InvalidOid;
}

/* Whether a FROM list has one table and functions alone; *table is its number in the range table. */
static bool
has_one_table(const Query *view, const Node *node, Index *table)
{
	const RangeTblEntry *entry;
	int			index;

	check_stack_depth();
	if (IsA(node, JoinExpr))
	{
		const JoinExpr *join = (const JoinExpr *) node;

		return join->jointype == JOIN_INNER && join->quals == NULL && has_one_table(view, join->larg, table) && has_one_table(view, join->rarg, table);
	}
	if (!IsA(node, RangeTblRef))
		return false;
	index = ((const RangeTblRef *) node)->rtindex;
	entry = rt_fetch(index, view->rtable);
	if (entry->rtekind == RTE_FUNCTION)
		return true;
	if (entry->rtekind != RTE_RELATION || entry->tablesample || entry->securityQuals || *table != 0)
		return false;
	*table = index;
	return true;
}

/* The table's number in the range table of a view that is nothing but a filter and a projection of it; 0 for any other. */
static Index
only_table(const Query *view)
{
	Index		table = 0;
	Relids		used;
	int			single;
	ListCell   *cell;

	if (view->commandType != CMD_SELECT || view->hasAggs || view->hasWindowFuncs || view->hasTargetSRFs || view->distinctClause || view->groupClause ||
		view->groupingSets || view->havingQual || view->sortClause || view->limitOffset || view->limitCount || view->setOperations ||
		view->cteList || view->rowMarks || view->jointree == NULL || view->jointree->quals == NULL)
		return 0;
	foreach(cell, view->jointree->fromlist)
		if (!has_one_table(view, lfirst(cell), &table))
			return 0;
	used = pull_varnos(NULL, view->jointree->quals);
	return table != 0 && bms_get_singleton_member(used, &single) && (Index) single == table ? table : 0;
}

/* Make the WHERE of barrier views of records the security quals of their table, in place, at every depth. */
static bool
open_views(Node *node, void *records)
{
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, open_views, records);
	foreach(cell, ((Query *) node)->rtable)
	{
		RangeTblEntry *entry = lfirst(cell);
		Index		table = entry->rtekind == RTE_SUBQUERY && entry->security_barrier ? only_table(entry->subquery) : 0;
		RangeTblEntry *base = table > 0 ? rt_fetch(table, entry->subquery->rtable) : NULL;

		if (base == NULL)
			continue;
		if (!OidIsValid(*(Oid *) records))
			*(Oid *) records = record_table();
		if (base->relid != *(Oid *) records)
			continue;
		base->securityQuals = list_make1(entry->subquery->jointree->quals);
		entry->subquery->jointree->quals = NULL;
		entry->security_barrier = false;
	}
	return query_tree_walker((Query *) node, open_views, records, 0);
}

static PlannedStmt *
plan_with_views_opened(Query *query, const char *text, int options, ParamListInfo parameters)
{
	Oid			records = InvalidOid;

	open_views((Node *) query, &records);
	return previous_planner ? previous_planner(query, text, options, parameters) : standard_planner(query, text, options, parameters);
}

void
report_planner_init(void)
{
	previous_planner = planner_hook;
	planner_hook = plan_with_views_opened;
}
