/*
 * validate.c
 *	  The walk over a document, and the rules that look at one node at a time.
 *
 * The rules bear the names that graphql-js gives them, so that the two can be
 * compared.  Subscriptions do not exist in a schema here, which makes their rules
 * empty: KnownOperationTypes refuses them.  The depth of the walk is that of the
 * parser's limits.
 */
#include "graphql/validate.h"

#include <stdlib.h>
#include <string.h>

#include "graphql/parser.h"
#include "graphql/validation.h"

static void walk_selections(Validation *validation, const GraphqlNode *owner, const GraphqlType *parent);

/* ---- types as they are written ---- */

/* The type that a node names; NULL, for one that the schema lacks. */
static const GraphqlType *
find_type(Validation *validation, const GraphqlNode *named)
{
	return graphql_schema_type(validation->schema, named->name);
}

/* A type of the schema, in the arena where it has lists or non-nulls around it; NULL for an unknown one. */
static const GraphqlType *
resolve_type(Validation *validation, const GraphqlNode *node)
{
	GraphqlType *type;
	const GraphqlType *of;

	if (node->kind == GRAPHQL_NAMED_TYPE)
		return find_type(validation, node);
	if ((of = resolve_type(validation, node->type)) == NULL || (type = validation_take(validation, sizeof(GraphqlType))) == NULL)
		return NULL;
	type->kind = node->kind == GRAPHQL_LIST_TYPE ? GRAPHQL_TYPE_LIST : GRAPHQL_TYPE_NON_NULL;
	type->of = of;
	return type;
}

/* KnownTypeNames (5.5.1.2, and every other place of a type). */
static void
check_type_name(Validation *validation, const GraphqlNode *node)
{
	while (node->kind != GRAPHQL_NAMED_TYPE)
		node = node->type;
	if (find_type(validation, node) == NULL)
		validation_error(validation, "KnownTypeNames", node->start, "unknown type \"%.*s\"", SHOWN(node->name));
}

/* ---- arguments and directives ---- */

/* Arguments of a field or directive: known where inputs are (count -1: they are not), once, of the right type. */
static void
walk_arguments(Validation *validation, const GraphqlNode *node, const GraphqlInput *inputs, int count, const char *of)
{
	validation_check_unique(validation, "UniqueArgumentNames", &node->arguments, false, "argument");
	for (const GraphqlNode *argument = node->arguments.first; argument; argument = argument->next)
	{
		const GraphqlInput *input = count >= 0 ? graphql_input_find(inputs, count, argument->name) : NULL;

		if (count >= 0 && input == NULL)
			validation_error(validation, "KnownArgumentNames", argument->start, "unknown argument \"%.*s\" of %s \"%.*s\"",
							 SHOWN(argument->name), of, SHOWN(node->name));
		validate_value(validation, argument->value, input ? input->type : NULL, input && input->default_value);
	}
}

/* ProvidedRequiredArguments (5.4.2.1). */
static void
check_required_arguments(Validation *validation, const GraphqlNode *node, const GraphqlInput *inputs, int count, const char *of)
{
	char		type[200];

	for (int i = 0; i < count; i++)
	{
		const GraphqlNode *argument = node->arguments.first;

		if (!graphql_is_required(&inputs[i]))
			continue;
		while (argument && !graphql_texts_equal(argument->name, inputs[i].name))
			argument = argument->next;
		if (argument == NULL)
			validation_error(validation, "ProvidedRequiredArguments", node->start,
							 "argument \"%.*s\" of type \"%s\" is required by %s \"%.*s\"", SHOWN(inputs[i].name),
							 graphql_type_print(inputs[i].type, type, sizeof(type)), of, SHOWN(node->name));
	}
}

/* KnownDirectives, UniqueDirectivesPerLocation (5.7) and the arguments of the directives of a node. */
static void
walk_directives(Validation *validation, const GraphqlNode *owner, GraphqlLocation location)
{
	for (const GraphqlNode *node = owner->directives.first; node; node = node->next)
	{
		const GraphqlDirective *directive = graphql_schema_directive(validation->schema, node->name);
		const GraphqlNode *earlier = owner->directives.first;

		if (directive == NULL)
			validation_error(validation, "KnownDirectives", node->start, "unknown directive \"@%.*s\"", SHOWN(node->name));
		else if (!(directive->locations & location))
			validation_error(validation, "KnownDirectives", node->start, "directive \"@%.*s\" may not stand here", SHOWN(node->name));
		while (earlier != node && !graphql_texts_equal(earlier->name, node->name))
			earlier = earlier->next;
		if (earlier != node && directive && !directive->is_repeatable)
			validation_error_two(validation, "UniqueDirectivesPerLocation", earlier->start, node->start,
								 "directive \"@%.*s\" may stand once only", SHOWN(node->name));
		walk_arguments(validation, node, directive ? directive->arguments : NULL, directive ? directive->argument_count : -1, "directive");
		if (directive)
			check_required_arguments(validation, node, directive->arguments, directive->argument_count, "directive");
	}
}

/* ---- selections ---- */

/* ScalarLeafs (5.3.3). */
static void
check_leaf(Validation *validation, const GraphqlNode *node, const GraphqlType *type)
{
	char		printed[200];

	graphql_type_print(type, printed, sizeof(printed));
	if (graphql_is_leaf(graphql_named_type(type)) && node->has_selection)
		validation_error(validation, "ScalarLeafs", node->selection_start,
						 "field \"%.*s\" of type \"%s\" has no fields to select", SHOWN(node->name), printed);
	else if (!graphql_is_leaf(graphql_named_type(type)) && !node->has_selection)
		validation_error(validation, "ScalarLeafs", node->start,
						 "field \"%.*s\" of type \"%s\" needs a selection of its fields", SHOWN(node->name), printed);
}

static void
walk_field(Validation *validation, const GraphqlNode *node, const GraphqlType *parent)
{
	const GraphqlField *field = graphql_field_find(validation->schema, parent, node->name);

	if (field)
		check_leaf(validation, node, field->type);
	else if (parent)
		validation_error(validation, "FieldsOnCorrectType", node->start, "type \"%.*s\" has no field \"%.*s\"",
						 SHOWN(parent->name), SHOWN(node->name));
	if (node->name.length > 2 && node->name.data[0] == '_')
		validate_introspection_depth(validation, node);
	walk_arguments(validation, node, field ? field->arguments : NULL, field ? field->argument_count : -1, "field");
	walk_directives(validation, node, GRAPHQL_ON_FIELD);
	if (node->has_selection)
		walk_selections(validation, node, field ? graphql_named_type(field->type) : NULL);
	if (field)
		check_required_arguments(validation, node, field->arguments, field->argument_count, "field");
}

/* The condition of a fragment: FragmentsOnCompositeTypes (5.5.1.3).  Returns its type, or NULL. */
static const GraphqlType *
check_condition(Validation *validation, const GraphqlNode *condition)
{
	const GraphqlType *type = find_type(validation, condition);

	check_type_name(validation, condition);
	if (type && !graphql_is_composite(type))
		validation_error(validation, "FragmentsOnCompositeTypes", condition->start,
						 "a fragment cannot be on type \"%.*s\", which has no fields", SHOWN(condition->name));
	return type;
}

/* PossibleFragmentSpreads (5.5.2.3). */
static void
check_possible(Validation *validation, const GraphqlNode *node, const GraphqlType *type, const GraphqlType *parent)
{
	if (type && parent && graphql_is_composite(type) && !graphql_types_overlap(type, parent))
		validation_error(validation, "PossibleFragmentSpreads", node->start, "an object of type \"%.*s\" can never be a \"%.*s\"",
						 SHOWN(parent->name), SHOWN(type->name));
}

static void
walk_inline_fragment(Validation *validation, const GraphqlNode *node, const GraphqlType *parent)
{
	const GraphqlType *type = node->type ? check_condition(validation, node->type) : parent;

	check_possible(validation, node, type, parent);
	walk_directives(validation, node, GRAPHQL_ON_INLINE_FRAGMENT);
	walk_selections(validation, node, type);
}

static void
walk_spread(Validation *validation, const GraphqlNode *node, const GraphqlType *parent)
{
	const Definition *fragment = validation_fragment(validation, node->name);

	if (fragment == NULL)
		validation_error(validation, "KnownFragmentNames", node->name_start, "unknown fragment \"%.*s\"", SHOWN(node->name));
	else
		check_possible(validation, node, find_type(validation, fragment->node->type), parent);
	walk_directives(validation, node, GRAPHQL_ON_FRAGMENT_SPREAD);
}

/* The selections of a field, fragment or operation whose type may be NULL. */
static void
walk_selections(Validation *validation, const GraphqlNode *owner, const GraphqlType *parent)
{
	if (!graphql_is_composite(parent))
		parent = NULL;
	if (owner->kind != GRAPHQL_INLINE_FRAGMENT)
		validate_merge(validation, parent, owner);
	for (const GraphqlNode *node = owner->children.first; node && !validation_is_over(validation); node = node->next)
	{
		if (node->kind == GRAPHQL_FIELD)
			walk_field(validation, node, parent);
		else if (node->kind == GRAPHQL_INLINE_FRAGMENT)
			walk_inline_fragment(validation, node, parent);
		else
			walk_spread(validation, node, parent);
	}
}

/* ---- definitions ---- */

static void
walk_variables(Validation *validation, const GraphqlNode *operation)
{
	validation_check_unique(validation, "UniqueVariableNames", &operation->variables, false, "variable");
	for (const GraphqlNode *node = operation->variables.first; node; node = node->next)
	{
		const GraphqlType *type = resolve_type(validation, node->type);

		check_type_name(validation, node->type);
		if (type && !graphql_is_input(type))
			validation_error(validation, "VariablesAreInputTypes", node->type->start, "variable \"$%.*s\" cannot be of an output type",
							 SHOWN(node->name));
		if (node->value)
			validate_value(validation, node->value, graphql_is_input(type) ? type : NULL, false);
		walk_directives(validation, node, GRAPHQL_ON_VARIABLE_DEFINITION);
	}
}

/* UniqueOperationNames, UniqueFragmentNames and LoneAnonymousOperation (5.2.2, 5.2.3, 5.5.1.1) of one definition. */
static void
check_definition_name(Validation *validation, const Definition *definition)
{
	const GraphqlNode *node = definition->node;
	bool		is_operation = node->kind == GRAPHQL_OPERATION;
	int			operations = 0;

	for (int i = 0; i < validation->definition_count; i++)
	{
		const Definition *other = &validation->definitions[i];

		operations += other->node->kind == GRAPHQL_OPERATION;
		if (node->name.length > 0 && other < definition && other->node->kind == node->kind &&
			graphql_texts_equal(other->node->name, node->name))
		{
			validation_error_two(validation, is_operation ? "UniqueOperationNames" : "UniqueFragmentNames", other->node->name_start,
								 node->name_start, "there can be only one %s \"%.*s\"", is_operation ? "operation" : "fragment",
								 SHOWN(node->name));
			return;
		}
	}
	if (is_operation && node->name.length == 0 && operations > 1)
		validation_error(validation, "LoneAnonymousOperation", node->start, "an operation without a name must be the only one");
}

static void
walk_definition(Validation *validation, Definition *definition)
{
	static const GraphqlLocation locations[] = {GRAPHQL_ON_QUERY, GRAPHQL_ON_MUTATION, GRAPHQL_ON_SUBSCRIPTION};
	static const char *const names[] = {"query", "mutation", "subscription"};
	const GraphqlNode *node = definition->node;
	const GraphqlType *type;

	validation->current = definition;
	check_definition_name(validation, definition);
	if (node->kind == GRAPHQL_FRAGMENT)
	{
		type = check_condition(validation, node->type);
		walk_directives(validation, node, GRAPHQL_ON_FRAGMENT_DEFINITION);
	}
	else
	{
		type = graphql_root_type(validation->schema, node->operation);
		if (type == NULL)
			validation_error(validation, "KnownOperationTypes", node->start, "the schema has no %s", names[node->operation]);
		walk_variables(validation, node);
		walk_directives(validation, node, locations[node->operation]);
	}
	walk_selections(validation, node, type);
}

static int
compare_fragments(const void *a, const void *b)
{
	const Definition *left = *(Definition *const *) a;
	const Definition *right = *(Definition *const *) b;
	int			order = graphql_text_compare(left->node->name, right->node->name);

	return order != 0 ? order : (left > right) - (left < right);
}

/* Note the definitions, and the fragments by name. */
static bool
note_definitions(Validation *validation)
{
	int			count = validation->document->children.count;
	Definition **fragments;
	int			kept = 0;
	int			found = 0;

	validation->definitions = validation_take(validation, (size_t) count * sizeof(Definition));
	validation->fragments = fragments = validation_take(validation, (size_t) count * sizeof(Definition *));
	if (validation->definitions == NULL || fragments == NULL)
		return false;
	for (const GraphqlNode *node = validation->document->children.first; node; node = node->next)
	{
		Definition *definition = &validation->definitions[validation->definition_count];

		if (node->kind == GRAPHQL_TYPE_SYSTEM)
		{
			validation_error(validation, "ExecutableDefinitions", node->start, "a definition of the type system cannot be executed");
			continue;
		}
		definition->node = node;
		definition->spread_count = -1;
		validation->definition_count++;
		if (node->kind == GRAPHQL_FRAGMENT)
			fragments[found++] = definition;
	}
	qsort(fragments, (size_t) found, sizeof(Definition *), compare_fragments);
	for (int i = 0; i < found; i++)
		if (i + 1 == found || !graphql_texts_equal(fragments[i]->node->name, fragments[i + 1]->node->name))
			fragments[kept++] = fragments[i];
	validation->fragment_count = kept;
	return true;
}

void
graphql_validate(const GraphqlSchema *schema, const GraphqlNode *document, GraphqlArena *arena, GraphqlErrors *errors)
{
	Validation	validation = {.schema = schema, .document = document, .arena = arena, .errors = errors};

	if (!note_definitions(&validation))
		return;
	for (int i = 0; i < validation.definition_count && !validation_is_over(&validation); i++)
		walk_definition(&validation, &validation.definitions[i]);
	if (!validation_is_over(&validation))
		validate_fragments(&validation);
}
