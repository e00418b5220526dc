/*
 * validate_merge.c
 *	  OverlappingFieldsCanBeMerged (5.3.2): fields of one response name in one
 *	  selection, through fragments too, must be the same field with the same
 *	  arguments and of the same shape.
 *
 * The fields of a selection set are collected once for each type that it may be
 * read as, and sorted by response name, so that two sets are compared side by side.
 * Pairs of sets and fragments that have been compared are remembered.  What that
 * costs is counted: beyond the budget the document is refused.
 */
#include "graphql/validation.h"

#include <stdlib.h>
#include <string.h>

#include "graphql/parser.h"

#define BUDGET 500000
#define BUCKETS 4096
#define PAIR_COST 8				/* of a pair that is noted, in comparisons of names */
#define MAX_PLACES 20
#define MAX_DEPTH 2000

/* A field of a selection set. */
typedef struct Entry
{
	GraphqlText response;
	const GraphqlType *parent;	/* or NULL */
	const GraphqlNode *node;
	const GraphqlField *field;	/* NULL of unknown ones and of __typename, whose type is not compared, as graphql-js does */
} Entry;

/* The fields and spreads of a selection set, read as of one type. */
typedef struct Collected
{
	struct Collected *next;		/* of its bucket */
	const GraphqlType *parent;
	const GraphqlNode *owner;
	int			entry_count;
	Entry	   *entries;		/* by response name, then as they stand */
	int			spread_count;
	Definition **spreads;		/* known fragments, each once */
} Collected;

/* Two things that have been compared: sets or fragments. */
typedef struct Pair
{
	struct Pair *next;
	const void *first;
	const void *second;
	bool		exclusive;		/* compared as of objects that are never the same */
} Pair;

/* What is in conflict, and where on both sides. */
typedef struct Conflict
{
	struct Conflict *next;
	GraphqlText response;
	const char *reason;
	int			counts[2];
	uint32_t	places[2][MAX_PLACES];
} Conflict;

typedef struct Merging
{
	Validation *validation;
	int			budget;
	int			depth;			/* of the comparisons that lie in each other */
	Collected  *collected[BUCKETS];
	Pair	   *pairs[BUCKETS];
} Merging;

typedef struct Conflicts
{
	Conflict   *first;
	Conflict   *last;
} Conflicts;

static void compare_sets(Merging *merging, Conflicts *conflicts, bool exclusive, const Collected *a, const Collected *b);

/* Whether there is still budget for so much work. */
static bool
spend(Merging *merging, int cost)
{
	merging->budget -= cost;
	return merging->budget >= 0 && !merging->validation->errors->out_of_memory;
}

/* Enter a comparison that may lie in others of its kind; each that was entered is left. */
static bool
enter(Merging *merging)
{
	if (++merging->depth > MAX_DEPTH)
		merging->budget = -1;
	return spend(merging, 2);
}

static unsigned int
bucket(const void *a, const void *b)
{
	uint64_t	mixed = ((uint64_t) (uintptr_t) a * 31 + (uint64_t) (uintptr_t) b) * UINT64_C(0x9E3779B97F4A7C15);

	return (unsigned int) (mixed >> 40) % BUCKETS;
}

/* ---- fields of a selection set ---- */

static void
count_children(const GraphqlNode *owner, int *entries, int *spreads)
{
	for (const GraphqlNode *node = owner->children.first; node; node = node->next)
	{
		if (node->kind == GRAPHQL_FIELD)
			(*entries)++;
		else if (node->kind == GRAPHQL_FRAGMENT_SPREAD)
			(*spreads)++;
		else
			count_children(node, entries, spreads);
	}
}

static void
add_spread(Collected *set, Definition *fragment)
{
	for (int i = 0; i < set->spread_count; i++)
		if (set->spreads[i] == fragment)
			return;
	set->spreads[set->spread_count++] = fragment;
}

static bool
is_typename(const GraphqlNode *field)
{
	return graphql_text_is(field->name, "__typename");
}

static void
add_children(Merging *merging, Collected *set, const GraphqlNode *owner, const GraphqlType *parent)
{
	const GraphqlSchema *schema = merging->validation->schema;

	for (const GraphqlNode *node = owner->children.first; node; node = node->next)
	{
		if (node->kind == GRAPHQL_FIELD)
			set->entries[set->entry_count++] = (Entry) {node->alias.length > 0 ? node->alias : node->name, parent, node,
				is_typename(node) ? NULL : graphql_field_find(schema, parent, node->name)};
		else if (node->kind == GRAPHQL_INLINE_FRAGMENT)
			add_children(merging, set, node, node->type ? graphql_schema_type(schema, node->type->name) : parent);
		else
		{
			Definition *fragment = validation_fragment(merging->validation, node->name);

			if (fragment && spend(merging, 1 + set->spread_count / 8))
				add_spread(set, fragment);
		}
	}
}

static int
compare_entries(const void *a, const void *b)
{
	const Entry *left = a;
	const Entry *right = b;
	int			order = graphql_text_compare(left->response, right->response);

	return order != 0 ? order : (left->node->start > right->node->start) - (left->node->start < right->node->start);
}

/* The set of an owner read as of a type; NULL without memory. */
static const Collected *
collect(Merging *merging, const GraphqlType *parent, const GraphqlNode *owner)
{
	Collected **head = &merging->collected[bucket(parent, owner)];
	Collected  *set;
	int			entries = 0;
	int			spreads = 0;

	for (set = *head; set; set = set->next)
		if (set->parent == parent && set->owner == owner)
			return set;
	count_children(owner, &entries, &spreads);
	if ((set = validation_take(merging->validation, sizeof(Collected))) == NULL ||
		(set->entries = validation_take(merging->validation, (size_t) (entries + 1) * sizeof(Entry))) == NULL ||
		(set->spreads = validation_take(merging->validation, (size_t) (spreads + 1) * sizeof(Definition *))) == NULL)
		return NULL;
	set->parent = parent;
	set->owner = owner;
	add_children(merging, set, owner, parent);
	qsort(set->entries, (size_t) set->entry_count, sizeof(Entry), compare_entries);
	set->next = *head;
	*head = set;
	return set;
}

/* The set of a fragment. */
static const Collected *
collect_fragment(Merging *merging, const Definition *fragment)
{
	return collect(merging, graphql_schema_type(merging->validation->schema, fragment->node->type->name), fragment->node);
}

/* ---- pairs ---- */

/* Whether a pair has been compared as strictly already; noted if not. */
static bool
was_compared(Merging *merging, const void *first, const void *second, bool exclusive)
{
	Pair	  **head = &merging->pairs[bucket(first, second)];
	Pair	   *pair = *head;

	while (pair && (pair->first != first || pair->second != second))
		pair = pair->next;
	if (pair && (!pair->exclusive || exclusive))
		return true;
	if (pair == NULL)
	{
		if (!spend(merging, PAIR_COST) || (pair = validation_take(merging->validation, sizeof(Pair))) == NULL)
			return true;
		*pair = (Pair) {*head, first, second, exclusive};
		*head = pair;
	}
	pair->exclusive = exclusive;
	return false;
}

/* ---- two fields ---- */

static bool values_equal(const GraphqlNode *a, const GraphqlNode *b);

/* Two lists of arguments or object fields, in whatever order. */
static bool
named_values_equal(const GraphqlNodes *a, const GraphqlNodes *b)
{
	if (a->count != b->count)
		return false;
	for (const GraphqlNode *left = a->first; left; left = left->next)
	{
		const GraphqlNode *right = b->first;

		while (right && !graphql_texts_equal(right->name, left->name))
			right = right->next;
		if (right == NULL || !values_equal(left->value, right->value))
			return false;
	}
	return true;
}

static bool
values_equal(const GraphqlNode *a, const GraphqlNode *b)
{
	const GraphqlNode *left = a->children.first;
	const GraphqlNode *right = b->children.first;

	if (a->kind != b->kind)
		return false;
	switch (a->kind)
	{
		case GRAPHQL_OBJECT:
			return named_values_equal(&a->children, &b->children);
		case GRAPHQL_LIST:
			for (; left && right && values_equal(left, right); left = left->next)
				right = right->next;
			return left == NULL && right == NULL;
		case GRAPHQL_VARIABLE:
			return graphql_texts_equal(a->name, b->name);
		case GRAPHQL_BOOLEAN:
			return a->truth == b->truth;
		case GRAPHQL_NULL:
			return true;
		default:
			return graphql_texts_equal(a->text, b->text) && a->is_block == b->is_block;
	}
}

/* SameResponseShape, as far as it is of the types alone. */
static bool
shapes_differ(const GraphqlType *a, const GraphqlType *b)
{
	while (a != b)
	{
		if (a->kind == GRAPHQL_TYPE_LIST || b->kind == GRAPHQL_TYPE_LIST || a->kind == GRAPHQL_TYPE_NON_NULL ||
			b->kind == GRAPHQL_TYPE_NON_NULL)
		{
			if (a->kind != b->kind)
				return true;
			a = a->of;
			b = b->of;
		}
		else
			return graphql_is_leaf(a) || graphql_is_leaf(b);
	}
	return false;
}

/* Add a conflict of two fields, with the first of those below them. */
static void
add_conflict(Merging *merging, Conflicts *conflicts, const Entry *a, const Entry *b, const char *reason, const Conflict *below)
{
	Conflict   *conflict = validation_take(merging->validation, sizeof(Conflict));

	if (conflict == NULL)
		return;
	conflict->response = a->response;
	conflict->reason = below ? below->reason : reason;
	conflict->places[0][conflict->counts[0]++] = a->node->start;
	conflict->places[1][conflict->counts[1]++] = b->node->start;
	for (; below; below = below->next)
		for (int side = 0; side < 2; side++)
			for (int i = 0; i < below->counts[side] && conflict->counts[side] < MAX_PLACES; i++)
				conflict->places[side][conflict->counts[side]++] = below->places[side][i];
	if (conflicts->last)
		conflicts->last->next = conflict;
	else
		conflicts->first = conflict;
	conflicts->last = conflict;
}

static void compare_subselections(Merging *merging, Conflicts *conflicts, bool exclusive, const Entry *a, const Entry *b);

static void
compare_fields(Merging *merging, Conflicts *conflicts, bool exclusive, const Entry *a, const Entry *b)
{
	Conflicts	below = {NULL, NULL};

	exclusive = exclusive || (a->parent != b->parent && a->parent && b->parent && a->parent->kind == GRAPHQL_TYPE_OBJECT &&
							  b->parent->kind == GRAPHQL_TYPE_OBJECT);
	if (!exclusive && !graphql_texts_equal(a->node->name, b->node->name))
		add_conflict(merging, conflicts, a, b, "they are different fields", NULL);
	else if (!exclusive && !named_values_equal(&a->node->arguments, &b->node->arguments))
		add_conflict(merging, conflicts, a, b, "their arguments differ", NULL);
	else if (a->field && b->field && shapes_differ(a->field->type, b->field->type))
		add_conflict(merging, conflicts, a, b, "their types differ", NULL);
	else if (a->node->has_selection && b->node->has_selection)
	{
		if (enter(merging))
			compare_subselections(merging, &below, exclusive, a, b);
		merging->depth--;
		if (below.first)
			add_conflict(merging, conflicts, a, b, NULL, below.first);
	}
}

/* ---- sets and fragments ---- */

static void
compare_with_fragment(Merging *merging, Conflicts *conflicts, bool exclusive, const Collected *set, Definition *fragment)
{
	const Collected *other;

	if (set->entry_count > 0 && enter(merging) && !was_compared(merging, set, fragment, exclusive) &&
		(other = collect_fragment(merging, fragment)) != NULL && other != set)
	{
		compare_sets(merging, conflicts, exclusive, set, other);
		for (int i = 0; i < other->spread_count; i++)
			compare_with_fragment(merging, conflicts, exclusive, set, other->spreads[i]);
	}
	merging->depth -= set->entry_count > 0;
}

static void
compare_fragments(Merging *merging, Conflicts *conflicts, bool exclusive, Definition *a, Definition *b)
{
	const Collected *left;
	const Collected *right;
	bool		in_order = a < b;

	if (a != b && enter(merging) && !was_compared(merging, in_order ? a : b, in_order ? b : a, exclusive) &&
		(left = collect_fragment(merging, a)) != NULL && (right = collect_fragment(merging, b)) != NULL)
	{
		compare_sets(merging, conflicts, exclusive, left, right);
		for (int i = 0; i < right->spread_count; i++)
			compare_fragments(merging, conflicts, exclusive, a, right->spreads[i]);
		for (int i = 0; i < left->spread_count; i++)
			compare_fragments(merging, conflicts, exclusive, left->spreads[i], b);
	}
	merging->depth -= a != b;
}

static void
compare_subselections(Merging *merging, Conflicts *conflicts, bool exclusive, const Entry *a, const Entry *b)
{
	const Collected *left = collect(merging, a->field ? graphql_named_type(a->field->type) : NULL, a->node);
	const Collected *right = collect(merging, b->field ? graphql_named_type(b->field->type) : NULL, b->node);

	if (left == NULL || right == NULL)
		return;
	compare_sets(merging, conflicts, exclusive, left, right);
	for (int i = 0; i < right->spread_count; i++)
		compare_with_fragment(merging, conflicts, exclusive, left, right->spreads[i]);
	for (int i = 0; i < left->spread_count; i++)
		compare_with_fragment(merging, conflicts, exclusive, right, left->spreads[i]);
	for (int i = 0; i < left->spread_count; i++)
		for (int j = 0; j < right->spread_count; j++)
			compare_fragments(merging, conflicts, exclusive, left->spreads[i], right->spreads[j]);
}

/* Where the entries of one response name end. */
static int
group_end(const Collected *set, int from)
{
	int			end = from + 1;

	while (end < set->entry_count && graphql_texts_equal(set->entries[end].response, set->entries[from].response))
		end++;
	return end;
}

/* Every field of one set with every one of the other that has its response name. */
static void
compare_sets(Merging *merging, Conflicts *conflicts, bool exclusive, const Collected *a, const Collected *b)
{
	int			i = 0;
	int			j = 0;

	while (i < a->entry_count && j < b->entry_count && spend(merging, 1))
	{
		int			order = graphql_text_compare(a->entries[i].response, b->entries[j].response);

		if (order < 0)
			i = group_end(a, i);
		else if (order > 0)
			j = group_end(b, j);
		else
		{
			int			end_a = group_end(a, i);
			int			end_b = group_end(b, j);

			for (int x = i; x < end_a; x++)
				for (int y = j; y < end_b && spend(merging, 1); y++)
					compare_fields(merging, conflicts, exclusive, &a->entries[x], &b->entries[y]);
			i = end_a;
			j = end_b;
		}
	}
}

/* All fields of one set among themselves, and with the fragments that it spreads. */
static void
compare_within(Merging *merging, Conflicts *conflicts, const Collected *set)
{
	for (int i = 0, end; i < set->entry_count; i = end)
	{
		end = group_end(set, i);
		for (int x = i; x < end; x++)
			for (int y = x + 1; y < end && spend(merging, 1); y++)
				compare_fields(merging, conflicts, false, &set->entries[x], &set->entries[y]);
	}
	for (int i = 0; i < set->spread_count; i++)
	{
		compare_with_fragment(merging, conflicts, false, set, set->spreads[i]);
		for (int j = i + 1; j < set->spread_count; j++)
			compare_fragments(merging, conflicts, false, set->spreads[i], set->spreads[j]);
	}
}

/* An error of a conflict, at all its places. */
static void
report(Validation *validation, const Conflict *conflict)
{
	int			count = conflict->counts[0] + conflict->counts[1];
	uint32_t   *places = validation_take(validation, (size_t) count * sizeof(uint32_t));

	if (places == NULL)
		return;
	memcpy(places, conflict->places[0], (size_t) conflict->counts[0] * sizeof(uint32_t));
	memcpy(places + conflict->counts[0], conflict->places[1], (size_t) conflict->counts[1] * sizeof(uint32_t));
	validation_error_many(validation, "OverlappingFieldsCanBeMerged", places, count,
						  "fields \"%.*s\" conflict, since %s; use different aliases", SHOWN(conflict->response), conflict->reason);
}

void
validate_merge(Validation *validation, const GraphqlType *parent, const GraphqlNode *owner)
{
	Merging    *merging = validation->merging;
	Conflicts	conflicts = {NULL, NULL};
	const Collected *set;

	if (owner->children.count <= 1 && owner->children.first->kind != GRAPHQL_INLINE_FRAGMENT)
		return;
	if (merging == NULL)
	{
		if ((merging = validation->merging = validation_take(validation, sizeof(Merging))) == NULL)
			return;
		merging->validation = validation;
		merging->budget = BUDGET;
	}
	if (merging->budget < 0 || (set = collect(merging, parent, owner)) == NULL)
		return;
	compare_within(merging, &conflicts, set);
	for (const Conflict *conflict = conflicts.first; conflict; conflict = conflict->next)
		report(validation, conflict);
	if (merging->budget < 0)
		validation_error(validation, "OverlappingFieldsCanBeMerged", owner->start,
						 "the document has too many fields and fragments to compare");
}
