/*
 * limits.c
 *	  What an operation may ask for at most, judged before it runs.
 *
 * Depth counts fields inside each other, the outermost as 1; those of
 * introspection have a limit of their own (MaxIntrospectionDepth).  A list gives up
 * to QEHS_MAX_PAGE records.  An alias may
 * stand once in a selection set.  Complexity counts each field as often as its
 * object may come: a list of 50 records with 10 fields each is 500.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "graphql/run.h"
#include "miscadmin.h"

#define MAX_DEPTH 8
#define MAX_COMPLEXITY 100000
#define MAX_MUTATIONS 50		/* each is a subtransaction, of which PostgreSQL keeps 64 at hand */

int32
run_list_limit(const RunField *field)
{
	int32		limit = QEHS_DEFAULT_PAGE;

	switch (field->source->origin)
	{
		case ORIGIN_LIST:
		case ORIGIN_RECORDS:
		case ORIGIN_BACK_REFERENCE:
		case ORIGIN_ACTIVITY:
		case ORIGIN_COMMENTS:
		case ORIGIN_LINKS:
			run_argument_int(field, "limit", &limit);
			return limit;
		case ORIGIN_REFERENCE:	/* a list of them has the argument, with a default */
			limit = 1;
			run_argument_int(field, "limit", &limit);
			return limit;
		case ORIGIN_CONNECTION:
			if (!run_argument_int(field, "first", &limit))
				run_argument_int(field, "last", &limit);
			return limit;
		default:
			return 1;
	}
}

/* Of a list are asked 1 to QEHS_MAX_PAGE records; of a connection none too (Relay): then it tells whether there are any. */
static void
check_list_limit(Run *run, const RunField *field)
{
	static const char *const names[] = {"limit", "first", "last"};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		int32		least = i == 0 ? 1 : 0;
		int32		limit;

		if (!run_argument_int(field, names[i], &limit) || (limit >= least && limit <= QEHS_MAX_PAGE))
			continue;
		run_error(run, field->node, "invalid_parameter",
				  psprintf("\"status\":400,\"errors\":[{\"path\":\"?%s\",\"code\":\"range\",\"message\":\"must be %d to %d\"}]", names[i], least,
						   QEHS_MAX_PAGE),
				  "argument \"%s\" must be %d to %d", names[i], least, QEHS_MAX_PAGE);
	}
}

static double complexity_below(Run *run, RunField *field, int depth, const RunField **too_deep);

static double
complexity(Run *run, RunFields *fields, int depth, const RunField **too_deep)
{
	double		sum = 0;

	check_stack_depth();
	for (int i = 0; i < fields->count; i++)
	{
		RunField   *field = &fields->items[i];

		if (field->source->origin == ORIGIN_SCHEMA || field->source->origin == ORIGIN_TYPE)
			continue;
		if (depth > MAX_DEPTH && *too_deep == NULL)
			*too_deep = field;
		check_list_limit(run, field);
		sum += 1;
		if (field->selections && *too_deep == NULL)
			sum += run_list_limit(field) * complexity_below(run, field, depth + 1, too_deep);
	}
	return sum;
}

/* Of the fields below a field: of the object types that it may be, the one with most. */
static double
complexity_below(Run *run, RunField *field, int depth, const RunField **too_deep)
{
	const GraphqlType *type = graphql_named_type(field->field->type);
	double		most = 0;

	if (type->kind == GRAPHQL_TYPE_OBJECT)
		return complexity(run, run_fields(run, field, type), depth, too_deep);
	for (int i = 0; i < type->possible_count; i++)
		most = Max(most, complexity(run, run_fields(run, field, type->possible[i]), depth, too_deep));
	return most;
}

static int
compare_aliases(const void *a, const void *b)
{
	const GraphqlNode *left = *(const GraphqlNode *const *) a;
	const GraphqlNode *right = *(const GraphqlNode *const *) b;
	int			order = graphql_text_compare(left->alias, right->alias);

	return order != 0 ? order : (left->start > right->start) - (left->start < right->start);
}

/* An alias stands once in a selection set. */
static void
check_aliases(Run *run, const GraphqlNode *owner)
{
	const GraphqlNode **aliased = palloc((owner->children.count + 1) * sizeof(GraphqlNode *));
	int			count = 0;

	check_stack_depth();
	for (const GraphqlNode *node = owner->children.first; node; node = node->next)
	{
		if (node->alias.length > 0)
			aliased[count++] = node;
		if (node->children.first)
			check_aliases(run, node);
	}
	qsort(aliased, count, sizeof(GraphqlNode *), compare_aliases);
	for (int i = 1; i < count; i++)
		if (graphql_texts_equal(aliased[i]->alias, aliased[i - 1]->alias))
			run_error(run, aliased[i], "GRAPHQL_VALIDATION_FAILED", NULL, "alias \"%.*s\" stands twice in one selection",
					  (int) aliased[i]->alias.length, aliased[i]->alias.data);
	pfree(aliased);
}

bool
run_check_limits(Run *run, RunFields *fields)
{
	const RunField *too_deep = NULL;
	double		cost;

	for (const GraphqlNode *node = run->document->children.first; node; node = node->next)
		check_aliases(run, node);
	if (run->operation->operation == GRAPHQL_MUTATION && fields->count > MAX_MUTATIONS)
		run_error(run, run->operation, "GRAPHQL_VALIDATION_FAILED", NULL, "an operation may have at most %d mutations", MAX_MUTATIONS);
	if (run->first_error)
		return false;
	cost = complexity(run, fields, 1, &too_deep);
	if (run->first_error)
		return false;
	if (too_deep)
		run_error(run, too_deep->node, "GRAPHQL_VALIDATION_FAILED", NULL, "the operation is deeper than %d fields", MAX_DEPTH);
	else if (cost > MAX_COMPLEXITY)
		run_error(run, run->operation, "GRAPHQL_VALIDATION_FAILED", NULL, "the operation asks for up to %.0f values, more than %d; ask for fewer"
				  " records or fields", cost, MAX_COMPLEXITY);
	return run->first_error == NULL;
}
