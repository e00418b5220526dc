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
 * Comparisons of numbers raise no error and tell nothing of what they compare, though
 * PostgreSQL does not call them leakproof: a column that is a slot is compared with
 * constants beside the security quals, so that such conditions reach its index, too,
 * also out of the subselects that reporting tools write around a view.
 *
 * A session that has not loaded the library yet, where it is not preloaded, plans
 * without the hook, to the same results.
 */
#include "base/compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "report/report.h"
#include "utils/fmgroids.h"
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

/* Whether a query gives each row that its FROM and WHERE give, and computes nothing over several. */
static bool
is_plain(const Query *query)
{
	return query->commandType == CMD_SELECT && !query->hasAggs && !query->hasWindowFuncs && !query->hasTargetSRFs && !query->distinctClause &&
		!query->groupClause && !query->groupingSets && !query->havingQual && !query->limitOffset && !query->limitCount && !query->setOperations &&
		!query->rowMarks && query->jointree;
}

/* The table's number in the range table of a view that is nothing but a filter and a projection of it; 0 for any other. */
static Index
only_table(const Query *view)
{
	Index		table = 0;
	Relids		used;
	int			single;
	ListCell   *cell;

	if (!is_plain(view) || view->sortClause || view->cteList || view->jointree->quals == NULL)
		return 0;
	foreach(cell, view->jointree->fromlist)
		if (!has_one_table(view, lfirst(cell), &table))
			return 0;
	used = pull_varnos(NULL, view->jointree->quals);
	return table != 0 && bms_get_singleton_member(used, &single) && (Index) single == table ? table : 0;
}

/* ---- numbers ---- */

/* Whether an expression is one value for the whole query: a constant or parameter, cast or not. */
static bool
is_value(const Node *node)
{
	check_stack_depth();
	if (IsA(node, FuncExpr) && ((const FuncExpr *) node)->funcformat != COERCE_EXPLICIT_CALL)
	{
		const FuncExpr *cast = (const FuncExpr *) node;
		ListCell   *cell;

		foreach(cell, cast->args)
			if (!is_value(lfirst(cell)))
				return false;
		return func_volatile(cast->funcid) == PROVOLATILE_IMMUTABLE;
	}
	return IsA(node, Const) || (IsA(node, Param) && ((const Param *) node)->paramkind == PARAM_EXTERN);
}

/* Whether a function compares numbers as an index does. */
static bool
compares_numbers(Oid operator)
{
	switch (get_opcode(operator))
	{
		case F_NUMERIC_LT:
		case F_NUMERIC_LE:
		case F_NUMERIC_EQ:
		case F_NUMERIC_GE:
		case F_NUMERIC_GT:
			return true;
		default:
			return false;
	}
}

/* The column that a condition compares with a value, as the place of its pointer; NULL: it is no such condition. */
static Node **
compared_column(Node *condition)
{
	List	   *arguments;

	if (IsA(condition, OpExpr) && compares_numbers(((OpExpr *) condition)->opno))
		arguments = ((OpExpr *) condition)->args;
	else if (IsA(condition, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) condition)->useOr && compares_numbers(((ScalarArrayOpExpr *) condition)->opno))
		arguments = ((ScalarArrayOpExpr *) condition)->args;
	else
		return NULL;
	for (int i = 0; i < 2; i++)
	{
		Node	  **side = (Node **) &lfirst(list_nth_cell(arguments, i));

		if (IsA(*side, Var) && ((Var *) *side)->varlevelsup == 0 && is_value(list_nth(arguments, 1 - i)))
			return side;
	}
	return NULL;
}

/* Whether a table of the FROM list is joined by inner joins alone, so that a condition of WHERE on it may be computed before them. */
static bool
is_inner(const Node *node, Index number)
{
	ListCell   *cell;

	check_stack_depth();
	if (IsA(node, RangeTblRef))
		return (Index) ((const RangeTblRef *) node)->rtindex == number;
	if (IsA(node, JoinExpr))
	{
		const JoinExpr *join = (const JoinExpr *) node;

		return join->jointype == JOIN_INNER && (is_inner(join->larg, number) || is_inner(join->rarg, number));
	}
	foreach(cell, ((const FromExpr *) node)->fromlist)
		if (is_inner(lfirst(cell), number))
			return true;
	return false;
}

/* Move the comparisons of numbers from the WHERE of a query into that of its subquery with this number, where each of its rows is as it was. */
static void
hand_down(Query *query, Index number, Query *subquery)
{
	List	   *kept = NIL;
	ListCell   *cell;

	if (query->jointree == NULL || query->jointree->quals == NULL || !is_plain(subquery) || !is_inner((Node *) query->jointree, number))
		return;
	foreach(cell, make_ands_implicit((Expr *) eval_const_expressions(NULL, query->jointree->quals)))
	{
		Node	   *condition = lfirst(cell);
		Node	  **side = compared_column(condition);
		Var		   *column = side ? (Var *) *side : NULL;
		TargetEntry *source = column && (Index) column->varno == number && column->varattno > 0 ? list_nth(subquery->targetList, column->varattno - 1) : NULL;

		if (source && IsA(source->expr, Var) && ((Var *) source->expr)->varlevelsup == 0)
		{
			*side = copyObject((Node *) source->expr);
			subquery->jointree->quals = make_and_qual(subquery->jointree->quals, condition);
		}
		else
			kept = lappend(kept, condition);
	}
	query->jointree->quals = kept ? (Node *) make_ands_explicit(kept) : NULL;
}

/* ---- views ---- */

/* Whether a barrier view is among what a query reads, below subselects without one. */
static bool
reads_view(const Query *query)
{
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, query->rtable)
	{
		const RangeTblEntry *entry = lfirst(cell);

		if (entry->rtekind == RTE_SUBQUERY && (entry->security_barrier || reads_view(entry->subquery)))
			return true;
	}
	return false;
}

/* Make the WHERE of barrier views of records the security quals of their table, in place, at every depth. */
static bool
open_views(Node *node, void *records)
{
	Query	   *query = (Query *) node;
	Index		number = 0;
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, open_views, records);
	foreach(cell, query->rtable)
	{
		RangeTblEntry *entry = lfirst(cell);
		Query	   *subquery = entry->rtekind == RTE_SUBQUERY ? entry->subquery : NULL;
		Index		table = subquery && entry->security_barrier ? only_table(subquery) : 0;
		RangeTblEntry *base = table > 0 ? rt_fetch(table, subquery->rtable) : NULL;

		number++;
		if (base && !OidIsValid(*(Oid *) records))
			*(Oid *) records = record_table();
		if (base && base->relid == *(Oid *) records)
		{
			hand_down(query, number, subquery);
			base->securityQuals = list_make1(subquery->jointree->quals);
			subquery->jointree->quals = NULL;
			entry->security_barrier = false;
		}
		else if (subquery)
		{
			if (!entry->security_barrier && reads_view(subquery))
				hand_down(query, number, subquery);
			open_views((Node *) subquery, records);
		}
	}
	return query_tree_walker(query, open_views, records, QTW_IGNORE_RT_SUBQUERIES);
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
