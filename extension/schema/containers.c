/*
 * containers.c
 *	  Checking the members of objects and the items of arrays.
 *
 * Members and the table of properties are both sorted as jsonb sorts keys, so one
 * pass over the two finds what is there, missing and unknown.
 */
#include "base/compat.h"

#include "miscadmin.h"
#include "schema/walk.h"

#define FEW_ITEMS 8

static bool
miss(Walk *walk, const SchemaNode *node, const Place *place, const SchemaProperty *property)
{
	Place		member = {place, property->name, property->length, 0};

	return !property->required || walk_violate(walk, node, &member, "required", "is required");
}

static bool
check_dependencies(Walk *walk, const SchemaNode *node, const Value *object, const Place *place, const Scope *scope,
				   Evaluated *evaluated)
{
	const SchemaObjectRules *rules = node->object;
	Value		member;
	bool		holds = true;

	for (int i = 0; i < rules->dependency_count && !WALK_DONE(walk, holds); i++)
	{
		const SchemaDependency *dependency = &rules->dependencies[i];

		if (!value_member(object, dependency->name.data, dependency->name.length, &member))
			continue;
		if (!walk_spend(walk, dependency->count))
			return false;
		for (int j = 0; j < dependency->count; j++)
		{
			Place		missing = {place, dependency->names[j].data, dependency->names[j].length, 0};

			if (!value_member(object, missing.key, missing.length, &member))
				holds = walk_violate(walk, node, &missing, dependency->keyword, "is required where %s is given",
									 schema_shown(dependency->name.data, dependency->name.length));
		}
		if (dependency->node != NO_NODE)
			holds &= walk_check(walk, dependency->node, object, place, scope, evaluated);
	}
	return holds;
}

/* What properties, patternProperties, additionalProperties and propertyNames say of one member. */
static bool
check_member(Walk *walk, const SchemaNode *node, const SchemaProperty *property, const Value *name, const Value *value,
			 const Place *place, const Scope *scope, bool *matched)
{
	const SchemaObjectRules *rules = node->object;
	Place		member = {place, name->data, name->length, 0};
	bool		holds = true;

	*matched = false;
	if (property && property->node != NO_NODE)
	{
		*matched = true;
		holds = walk_check(walk, property->node, value, &member, scope, NULL);
	}
	for (int i = 0; i < rules->pattern_count && !WALK_DONE(walk, holds); i++)
		if (walk_matches(walk, rules->patterns[i].regex, name->data, name->length))
		{
			*matched = true;
			holds &= walk_check(walk, rules->patterns[i].node, value, &member, scope, NULL);
		}
	if (!*matched && rules->closed)
		holds = walk_violate(walk, node, &member, "additionalProperties", "is not a known member");
	else if (!*matched && rules->additional != NO_NODE)
	{
		*matched = true;
		holds &= walk_check(walk, rules->additional, value, &member, scope, NULL);
	}
	if (rules->names != NO_NODE && !WALK_DONE(walk, holds))
	{
		walk->is_name = true;
		holds &= walk_check(walk, rules->names, name, &member, scope, NULL);
		walk->is_name = false;
	}
	return holds;
}

static bool
check_members(Walk *walk, const SchemaNode *node, const Value *object, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	const SchemaObjectRules *rules = node->object;
	uint32		count = VALUE_COUNT(object);
	ValueWalk	names = value_walk(VALUE_CONTAINER(object), 0);
	ValueWalk	values = value_walk(VALUE_CONTAINER(object), count);
	const SchemaProperty *next = rules->properties;
	const SchemaProperty *end = next + rules->property_count;
	bool		holds = true;

	/* the table costs something even where the object has none of its names */
	if (!walk_spend(walk, rules->property_count / 8))
		return false;
	for (uint32 i = 0; i < count && !WALK_DONE(walk, holds); i++)
	{
		Value		name;
		Value		value;
		int			order = 1;
		bool		matched;

		value_next(&names, &name);
		value_next(&values, &value);
		while (next < end && (order = value_compare_keys(next->name, next->length, name.data, name.length)) < 0)
			holds &= miss(walk, node, place, next++);
		holds &= check_member(walk, node, next < end && order == 0 ? next++ : NULL, &name, &value, place, scope, &matched);
		if (matched)
			evaluated_add(evaluated, i);
	}
	while (next < end && !WALK_DONE(walk, holds))
		holds &= miss(walk, node, place, next++);
	return holds;
}

bool
walk_check_object(Walk *walk, const SchemaNode *node, const Value *object, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	const SchemaObjectRules *rules = node->object;
	uint32		count = VALUE_COUNT(object);
	bool		holds = true;

	if (count < rules->minimum)
		holds = walk_violate(walk, node, place, "minProperties", "must have at least " INT64_FORMAT " member%s (has %u)",
							 rules->minimum, PLURAL(rules->minimum), count);
	if (rules->maximum >= 0 && count > rules->maximum)
		holds = walk_violate(walk, node, place, "maxProperties", "must have at most " INT64_FORMAT " member%s (has %u)",
							 rules->maximum, PLURAL(rules->maximum), count);
	if ((rules->property_count > 0 || rules->pattern_count > 0 || rules->additional != NO_NODE || rules->names != NO_NODE) &&
		!WALK_DONE(walk, holds))
		holds &= check_members(walk, node, object, place, scope, evaluated);
	if (rules->dependency_count > 0 && !WALK_DONE(walk, holds) && walk_spend(walk, rules->dependency_count))
		holds &= check_dependencies(walk, node, object, place, scope, evaluated);
	return holds;
}

typedef struct HashedItem
{
	uint32		hash;
	uint32		index;
} HashedItem;

typedef struct TwinSearch
{
	const Value *array;
	int64		twin;			/* -1: not found so far */
} TwinSearch;

/* Note the later of two equal items; of several the first that is there again. */
static void
note_twin(TwinSearch *search, uint32 a, uint32 b)
{
	int64		later = Max(a, b);

	if (a != b && (search->twin < 0 || later < search->twin))
		search->twin = later;
}

/* By hash; by value where hashes are equal, so that crafted ones cost no more. */
static int
compare_items(const void *left, const void *right, void *arg)
{
	const HashedItem *a = left;
	const HashedItem *b = right;
	TwinSearch *search = arg;
	Value		left_value;
	Value		right_value;
	int			order;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	value_item(search->array, a->index, &left_value);
	value_item(search->array, b->index, &right_value);
	order = value_compare(&left_value, &right_value);
	if (order == 0)
		note_twin(search, a->index, b->index);
	return order;
}

/* The index of an item that was there before; -1 when there is none. */
static int64
find_twin(const Value *array)
{
	uint32		count = VALUE_COUNT(array);
	ValueWalk	walk = value_walk(VALUE_CONTAINER(array), 0);
	TwinSearch	search = {array, -1};
	Value		few[FEW_ITEMS];
	HashedItem *items;

	/* comparing a few is cheaper than hashing them */
	if (count <= FEW_ITEMS)
	{
		for (uint32 i = 0; i < count && search.twin < 0; i++)
		{
			value_next(&walk, &few[i]);
			for (uint32 j = 0; j < i && search.twin < 0; j++)
				if (value_compare(&few[j], &few[i]) == 0)
					search.twin = i;
		}
		return search.twin;
	}
	items = palloc_extended(sizeof(HashedItem) * (Size) count, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < count; i++)
	{
		Value		item;

		value_next(&walk, &item);
		items[i] = (HashedItem) {value_hash(&item), i};
	}
	qsort_arg(items, count, sizeof(HashedItem), compare_items, &search);
	pfree(items);
	return search.twin;
}

static bool
check_contains(Walk *walk, const SchemaNode *node, const Value *array, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	const SchemaArrayRules *rules = node->array;
	uint32		count = VALUE_COUNT(array);
	ValueWalk	items = value_walk(VALUE_CONTAINER(array), 0);
	int64		found = 0;

	for (uint32 i = 0; i < count && walk->fault == NULL; i++)
	{
		Value		item;
		Place		element = {place, NULL, 0, i};

		value_next(&items, &item);
		if (!walk_check_quietly(walk, rules->contains, &item, &element, scope, NULL))
			continue;
		found++;
		evaluated_add(evaluated, i);
	}
	if (found < rules->contains_minimum)
		return walk_violate(walk, node, place, rules->contains_minimum == 1 ? "contains" : "minContains",
							"must have at least " INT64_FORMAT " item%s of a certain form (has " INT64_FORMAT ")",
							rules->contains_minimum, PLURAL(rules->contains_minimum), found);
	if (rules->contains_maximum >= 0 && found > rules->contains_maximum)
		return walk_violate(walk, node, place, "maxContains",
							"must have at most " INT64_FORMAT " item%s of a certain form (has " INT64_FORMAT ")",
							rules->contains_maximum, PLURAL(rules->contains_maximum), found);
	return true;
}

static bool
check_items(Walk *walk, const SchemaNode *node, const Value *array, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	const SchemaArrayRules *rules = node->array;
	uint32		count = VALUE_COUNT(array);
	ValueWalk	items = value_walk(VALUE_CONTAINER(array), 0);
	bool		holds = true;

	if (rules->items == NO_NODE)
		count = Min(count, (uint32) rules->prefix_count);
	for (uint32 i = 0; i < count && !WALK_DONE(walk, holds); i++)
	{
		Value		item;
		Place		element = {place, NULL, 0, i};

		value_next(&items, &item);
		holds &= walk_check(walk, i < (uint32) rules->prefix_count ? rules->prefix[i] : rules->items, &item, &element, scope, NULL);
		evaluated_add(evaluated, i);
	}
	return holds;
}

bool
walk_check_array(Walk *walk, const SchemaNode *node, const Value *array, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	const SchemaArrayRules *rules = node->array;
	uint32		count = VALUE_COUNT(array);
	bool		holds = true;

	if (count < rules->minimum)
		holds = walk_violate(walk, node, place, "minItems", "must have at least " INT64_FORMAT " item%s (has %u)",
							 rules->minimum, PLURAL(rules->minimum), count);
	/* what has too many items is not worth a look at each */
	if (rules->maximum >= 0 && count > rules->maximum)
		return walk_violate(walk, node, place, "maxItems", "must have at most " INT64_FORMAT " item%s (has %u)",
							rules->maximum, PLURAL(rules->maximum), count);
	if ((rules->items != NO_NODE || rules->prefix_count > 0) && !WALK_DONE(walk, holds))
		holds &= check_items(walk, node, array, place, scope, evaluated);
	if (rules->contains != NO_NODE && !WALK_DONE(walk, holds))
		holds &= check_contains(walk, node, array, place, scope, evaluated);
	if (rules->unique && count > 1 && !WALK_DONE(walk, holds) && walk_spend(walk, count + array->length / 32))
	{
		int64		twin = find_twin(array);
		Place		element = {place, NULL, 0, (uint32) twin};

		if (twin >= 0)
			holds = walk_violate(walk, node, &element, "uniqueItems", "is there twice");
	}
	return holds;
}
