/*
 * plan.c
 *	  Which fields an operation asks for (specification, section 6.3.2).
 *
 * Fields are collected when their object's type is known, once for each type, and
 * kept with the field above them.  Arguments are coerced then, so a list of a
 * thousand objects coerces them once.
 */
#include "base/compat.h"

#include "common/hashfn.h"
#include "graphql/run.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define BUCKETS 64				/* of response names */

typedef struct Collection
{
	RunFields  *fields;
	int			room;
	int			heads[BUCKETS]; /* of chains of fields: number from 1, or 0 */
	int			fragment_count; /* names of fragments that have been spread */
	int			fragment_room;
	const GraphqlNode **fragments;
} Collection;

static const GraphqlNode *
find_fragment(const Run *run, GraphqlText name)
{
	for (const GraphqlNode *node = run->document->children.first; node; node = node->next)
		if (node->kind == GRAPHQL_FRAGMENT && graphql_texts_equal(node->name, name))
			return node;
	return NULL;
}

/* Whether an object of a type is of the type of a condition (or NULL, which takes all). */
static bool
applies(const Run *run, const GraphqlNode *condition, const GraphqlType *type)
{
	const GraphqlType *wanted = condition ? graphql_schema_type(&run->model->schema, condition->name) : type;

	return wanted && (wanted == type || graphql_is_subtype(type, wanted));
}

/* Coerce the arguments of a field. */
static void
read_arguments(Run *run, RunField *field)
{
	bool		failed = false;

	field->arguments = palloc0((field->field->argument_count + 1) * sizeof(JsonbValue *));
	for (int i = 0; i < field->field->argument_count; i++)
	{
		const GraphqlInput *input = &field->field->arguments[i];
		const GraphqlNode *argument = field->node->arguments.first;

		while (argument && !graphql_texts_equal(argument->name, input->name))
			argument = argument->next;
		field->arguments[i] = run_coerce_argument(run, argument ? argument->value : NULL, input, &failed);
	}
}

static RunField *
add_field(Run *run, Collection *collection, const GraphqlNode *node)
{
	GraphqlText response = node->alias.length > 0 ? node->alias : node->name;
	RunFields  *fields = collection->fields;
	RunField   *field;
	int		   *head = &collection->heads[hash_bytes((const unsigned char *) response.data, response.length) % BUCKETS];

	for (int i = *head; i > 0; i = fields->items[i - 1].next_of_bucket)
		if (graphql_texts_equal(fields->items[i - 1].response, response))
			return &fields->items[i - 1];
	if (fields->count == collection->room)
	{
		collection->room = Max(8, 2 * collection->room);
		fields->items = fields->items ? repalloc(fields->items, collection->room * sizeof(RunField)) :
			palloc(collection->room * sizeof(RunField));
	}
	field = &fields->items[fields->count++];
	memset(field, 0, sizeof(*field));
	field->response = response;
	field->next_of_bucket = *head;
	*head = fields->count;
	field->node = node;
	field->field = graphql_field_find(&run->model->schema, fields->type, node->name);
	field->source = field->field->source;
	read_arguments(run, field);
	return field;
}

static void
add_selection(RunField *field, const GraphqlNode *owner)
{
	RunSelections *selections = palloc0(sizeof(RunSelections));

	selections->owner = owner;
	if (field->last_selection)
		field->last_selection->next = selections;
	else
		field->selections = selections;
	field->last_selection = selections;
}

/* Note a fragment; false when it has been spread here before. */
static bool
note_fragment(Collection *collection, const GraphqlNode *fragment)
{
	for (int i = 0; i < collection->fragment_count; i++)
		if (collection->fragments[i] == fragment)
			return false;
	if (collection->fragment_count == collection->fragment_room)
	{
		collection->fragment_room = Max(8, 2 * collection->fragment_room);
		collection->fragments = collection->fragments ? repalloc(collection->fragments, collection->fragment_room * sizeof(GraphqlNode *)) :
			palloc(collection->fragment_room * sizeof(GraphqlNode *));
	}
	collection->fragments[collection->fragment_count++] = fragment;
	return true;
}

static void
collect(Run *run, Collection *collection, const GraphqlNode *owner)
{
	check_stack_depth();
	for (const GraphqlNode *node = owner->children.first; node; node = node->next)
	{
		const GraphqlNode *fragment;

		if (!run_is_included(run, node))
			continue;
		if (node->kind == GRAPHQL_FIELD)
		{
			RunField   *field = add_field(run, collection, node);

			if (node->has_selection)
				add_selection(field, node);
			continue;
		}
		fragment = node->kind == GRAPHQL_FRAGMENT_SPREAD ? find_fragment(run, node->name) : node;
		if (fragment && applies(run, fragment->type, collection->fields->type) &&
			(fragment == node || note_fragment(collection, fragment)))
			collect(run, collection, fragment);
	}
}

RunFields *
run_plan_operation(Run *run)
{
	Collection	collection = {.fields = palloc0(sizeof(RunFields))};

	collection.fields->type = graphql_root_type(&run->model->schema, run->operation->operation);
	collect(run, &collection, run->operation);
	return collection.fields;
}

RunFields *
run_fields(Run *run, RunField *field, const GraphqlType *type)
{
	Collection	collection = {0};

	for (RunFields *fields = field->below; fields; fields = fields->next)
		if (fields->type == type)
			return fields;
	collection.fields = palloc0(sizeof(RunFields));
	collection.fields->type = type;
	for (const RunSelections *selections = field->selections; selections; selections = selections->next)
		collect(run, &collection, selections->owner);
	collection.fields->next = field->below;
	field->below = collection.fields;
	return collection.fields;
}

const JsonbValue *
run_argument(const RunField *field, const char *name)
{
	for (int i = 0; i < field->field->argument_count; i++)
		if (graphql_text_is(field->field->arguments[i].name, name))
			return field->arguments[i] && field->arguments[i]->type != jbvNull ? field->arguments[i] : NULL;
	return NULL;
}

char *
run_argument_text(const RunField *field, const char *name)
{
	const JsonbValue *value = run_argument(field, name);

	return value && value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : NULL;
}

bool
run_argument_int(const RunField *field, const char *name, int32 *result)
{
	const JsonbValue *value = run_argument(field, name);

	if (value == NULL || value->type != jbvNumeric)
		return false;
	*result = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(value->val.numeric)));
	return true;
}

Jsonb *
run_argument_json(const RunField *field, const char *name)
{
	const JsonbValue *value = run_argument(field, name);

	return value ? JsonbValueToJsonb(unconstify(JsonbValue *, value)) : NULL;
}
