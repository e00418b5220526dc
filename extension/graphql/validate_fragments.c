/*
 * validate_fragments.c
 *	  Rules over the whole document: which fragments are used and do not reach
 *	  themselves, which variables an operation has and uses, through fragments too.
 *
 * Recursion goes from fragment to fragment, each once on a path: as deep as there
 * are fragments, which the limit of tokens bounds.
 */
#include "graphql/validation.h"

#include <string.h>

#include "graphql/parser.h"

#define MAX_INTROSPECTION_LISTS 3

/* ---- what a definition spreads ---- */

static int
count_spreads(const GraphqlNode *node)
{
	int			count = 0;

	for (const GraphqlNode *child = node->children.first; child; child = child->next)
		count += child->kind == GRAPHQL_FRAGMENT_SPREAD ? 1 : count_spreads(child);
	return count;
}

/* Fill the spreads from the end: those of a selection set stand before those of the sets in it, the later sets first. */
static void
fill_spreads(const GraphqlNode *node, const GraphqlNode ***end)
{
	const GraphqlNode **own;

	for (const GraphqlNode *child = node->children.first; child; child = child->next)
	{
		if (child->kind != GRAPHQL_FRAGMENT_SPREAD)
			fill_spreads(child, end);
	}
	for (const GraphqlNode *child = node->children.first; child; child = child->next)
		*end -= child->kind == GRAPHQL_FRAGMENT_SPREAD;
	own = *end;
	for (const GraphqlNode *child = node->children.first; child; child = child->next)
		if (child->kind == GRAPHQL_FRAGMENT_SPREAD)
			*own++ = child;
}

/* All spreads in a definition. */
static void
note_spreads(Validation *validation, Definition *definition)
{
	const GraphqlNode **end;

	if (definition->spread_count >= 0)
		return;
	definition->spread_count = count_spreads(definition->node);
	definition->spreads = end = validation_take(validation, (size_t) (definition->spread_count + 1) * sizeof(GraphqlNode *));
	if (end == NULL)
		definition->spread_count = 0;
	else
	{
		end += definition->spread_count;
		fill_spreads(definition->node, &end);
	}
}

/* ---- NoFragmentCycles (5.5.2.2) ---- */

/* path has room for all fragments; its first length entries are the spreads that lead to this one. */
static void
find_cycles(Validation *validation, Definition *fragment, const GraphqlNode **path, int length)
{
	Definition *named = validation_fragment(validation, fragment->node->name);

	if (named->visited)
		return;
	named->visited = true;
	note_spreads(validation, fragment);
	named->path_index = length + 1;
	for (int i = 0; i < fragment->spread_count && !validation_is_over(validation); i++)
	{
		Definition *next = validation_fragment(validation, fragment->spreads[i]->name);
		uint32_t   *places;
		int			from;

		path[length] = fragment->spreads[i];
		if (next == NULL)
			continue;
		if (next->path_index == 0)
		{
			find_cycles(validation, next, path, length + 1);
			continue;
		}
		from = next->path_index - 1;
		if ((places = validation_take(validation, (size_t) (length + 1 - from) * sizeof(uint32_t))) == NULL)
			return;
		for (int j = from; j <= length; j++)
			places[j - from] = path[j]->start;
		validation_error_many(validation, "NoFragmentCycles", places, length + 1 - from, "fragment \"%.*s\" spreads itself",
							  SHOWN(next->node->name));
	}
	named->path_index = 0;
}

/* ---- fragments and variables of an operation ---- */

/* Note the fragments that a definition reaches as reached by a walk; the list of them grows at its end. */
static int
reach(Validation *validation, Definition *definition, int walk, Definition **list)
{
	int			count = 0;

	for (int next = -1; next < count; next++)
	{
		Definition *from = next < 0 ? definition : list[next];

		note_spreads(validation, from);
		for (int i = 0; i < from->spread_count; i++)
		{
			Definition *fragment = validation_fragment(validation, from->spreads[i]->name);

			if (fragment == NULL || fragment->reached == walk)
				continue;
			fragment->reached = walk;
			list[count++] = fragment;
		}
	}
	return count;
}

/* Whether a variable of a type, as it is written, may stand at a place (IsVariableUsageAllowed, without the defaults). */
static bool
variable_allowed(const GraphqlSchema *schema, const GraphqlNode *type, const GraphqlType *place)
{
	for (;;)
	{
		if (type->kind == GRAPHQL_NON_NULL_TYPE)
		{
			type = type->type;
			place = graphql_nullable_type(place);
		}
		else if (place->kind == GRAPHQL_TYPE_NON_NULL)
			return false;
		else if (type->kind == GRAPHQL_LIST_TYPE || place->kind == GRAPHQL_TYPE_LIST)
		{
			if (type->kind != GRAPHQL_LIST_TYPE || place->kind != GRAPHQL_TYPE_LIST)
				return false;
			type = type->type;
			place = place->of;
		}
		else
			return graphql_schema_type(schema, type->name) == place;
	}
}

static bool
names_known_type(const GraphqlSchema *schema, const GraphqlNode *type)
{
	while (type->kind != GRAPHQL_NAMED_TYPE)
		type = type->type;
	return graphql_schema_type(schema, type->name) != NULL;
}

/* VariablesInAllowedPosition (5.8.5), and of a one-of that it cannot be null. */
static void
check_position(Validation *validation, const GraphqlNode *variable, const VariableUse *use)
{
	const GraphqlType *place = use->type;
	char		printed[200];

	if (place == NULL || !names_known_type(validation->schema, variable->type))
		return;
	if (place->kind == GRAPHQL_TYPE_NON_NULL && variable->type->kind != GRAPHQL_NON_NULL_TYPE &&
		((variable->value && variable->value->kind != GRAPHQL_NULL) || use->has_default))
		place = place->of;
	if (!variable_allowed(validation->schema, variable->type, place))
		validation_error_two(validation, "VariablesInAllowedPosition", variable->start, use->node->start,
							 "variable \"$%.*s\" is of another type than \"%s\"", SHOWN(variable->name),
							 graphql_type_print(use->type, printed, sizeof(printed)));
	if (use->parent && use->parent->is_one_of && variable->type->kind != GRAPHQL_NON_NULL_TYPE)
		validation_error_two(validation, "VariablesInAllowedPosition", variable->start, use->node->start,
							 "variable \"$%.*s\" must be non-null to be the field of \"%.*s\"", SHOWN(variable->name),
							 SHOWN(use->parent->name));
}

/* The variables of an operation, by name, and which of them are used. */
typedef struct Variables
{
	const GraphqlNode *operation;
	const GraphqlNode **sorted;
	int			count;
	bool	   *used;			/* in the order of sorted */
} Variables;

/* The number of the first variable of a name, or of the one behind where it would stand. */
static int
find_variable(const Variables *variables, GraphqlText name)
{
	int			low = 0;
	int			high = variables->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (graphql_text_compare(variables->sorted[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NoUndefinedVariables (5.8.3) and the positions of those used in one definition. */
static void
check_uses(Validation *validation, Variables *variables, const Definition *in)
{
	for (const VariableUse *use = in->first_use; use && !validation_is_over(validation); use = use->next)
	{
		const GraphqlNode *found = NULL;

		for (int i = find_variable(variables, use->node->name); i < variables->count &&
			 graphql_texts_equal(variables->sorted[i]->name, use->node->name); i++)
		{
			found = variables->sorted[i];
			variables->used[i] = true;
		}
		if (found == NULL)
			validation_error_two(validation, "NoUndefinedVariables", use->node->start, variables->operation->start,
								 "variable \"$%.*s\" is not defined", SHOWN(use->node->name));
		else
			check_position(validation, found, use);
	}
}

/* The variables of one operation; NoUnusedVariables (5.8.4). */
static void
check_variables(Validation *validation, const Definition *operation, Definition **list, int count)
{
	Variables	variables = {operation->node, validation_sorted(validation, &operation->node->variables), operation->node->variables.count,
	validation_take(validation, (size_t) (operation->node->variables.count + 1) * sizeof(bool))};

	if (variables.sorted == NULL || variables.used == NULL)
		return;
	check_uses(validation, &variables, operation);
	for (int fragment = 0; fragment < count; fragment++)
		check_uses(validation, &variables, list[fragment]);
	for (int i = 0; i < variables.count; i++)
		if (!variables.used[i])
			validation_error(validation, "NoUnusedVariables", variables.sorted[i]->start, "variable \"$%.*s\" is never used",
							 SHOWN(variables.sorted[i]->name));
}

void
validate_fragments(Validation *validation)
{
	size_t		room = (size_t) (validation->definition_count + 1) * sizeof(void *);
	const GraphqlNode **path = validation_take(validation, room);
	Definition **list = validation_take(validation, room);

	if (path == NULL || list == NULL)
		return;
	for (int i = 0; i < validation->definition_count; i++)
		if (validation->definitions[i].node->kind == GRAPHQL_FRAGMENT)
			find_cycles(validation, &validation->definitions[i], path, 0);
	for (int i = 0; i < validation->definition_count && !validation_is_over(validation); i++)
	{
		Definition *operation = &validation->definitions[i];
		int			count;

		if (operation->node->kind != GRAPHQL_OPERATION)
			continue;
		count = reach(validation, operation, i + 1, list);
		check_variables(validation, operation, list, count);
	}
	/* NoUnusedFragments (5.5.1.4): reached by any operation */
	for (int i = 0; i < validation->definition_count; i++)
	{
		const GraphqlNode *node = validation->definitions[i].node;

		if (node->kind == GRAPHQL_FRAGMENT && validation_fragment(validation, node->name)->reached == 0)
			validation_error(validation, "NoUnusedFragments", node->start, "fragment \"%.*s\" is never used", SHOWN(node->name));
	}
}

/* ---- introspection ---- */

/* Whether lists of types lie in each other too deeply below a node, with so many around it. */
static bool
is_too_deep(Validation *validation, const GraphqlNode *node, int lists)
{
	static const char *const names[] = {"fields", "interfaces", "possibleTypes", "inputFields"};

	if (node->kind == GRAPHQL_FRAGMENT_SPREAD)
	{
		Definition *fragment = validation_fragment(validation, node->name);

		if (fragment == NULL || fragment->lists_seen > lists)
			return false;
		fragment->lists_seen = lists + 1;
		node = fragment->node;
	}
	else if (node->kind == GRAPHQL_FIELD)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (graphql_text_is(node->name, names[i]) && ++lists >= MAX_INTROSPECTION_LISTS)
				return true;
	for (const GraphqlNode *child = node->children.first; child; child = child->next)
		if (is_too_deep(validation, child, lists))
			return true;
	return false;
}

bool
validate_introspection_depth(Validation *validation, const GraphqlNode *field)
{
	if (!graphql_text_is(field->name, "__schema") && !graphql_text_is(field->name, "__type"))
		return true;
	if (!is_too_deep(validation, field, 0))
		return true;
	validation_error(validation, "MaxIntrospectionDepth", field->start, "introspection goes through lists of types too often");
	return false;
}
