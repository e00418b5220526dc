/*
 * merge.c
 *	  Three-way merge of definitions: what a tenant has changed in a module of the
 *	  catalogue stays when a newer one is installed.
 *
 * Objects are merged by member.  Lists whose elements have names (fields by key,
 * options by value, bands by name, texts by themselves) are merged by these, in the
 * order of whoever has changed it, the tenant's first; other lists are one value.
 * Pure: values point into the documents, and nothing is read beside them.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/merge.h"

/* A value in each document; NULL where it is not there. */
typedef struct Sides
{
	const JsonbValue *base;
	const JsonbValue *ours;
	const JsonbValue *theirs;
} Sides;

typedef struct Merge
{
	JsonbParseState *state;
	List	   *conflicts;
} Merge;

/* A list by the names of its elements. */
typedef struct NamedList
{
	int			count;
	JsonbValue *names;
	JsonbValue *elements;
} NamedList;

static bool
same(const JsonbValue *left, const JsonbValue *right)
{
	return left == NULL || right == NULL ? left == right : json_values_equal(left, right);
}

static bool
is_container(const JsonbValue *value, bool object)
{
	return value && value->type == jbvBinary &&
		(object ? JsonContainerIsObject(value->val.binary.data) : JsonContainerIsArray(value->val.binary.data));
}

static JsonbValue *
copy_value(const JsonbValue *value)
{
	JsonbValue *copy = value ? palloc(sizeof(JsonbValue)) : NULL;

	if (copy)
		*copy = *value;
	return copy;
}

static JsonbValue *
member(const JsonbValue *object, const JsonbValue *key)
{
	JsonbValue	value;

	return is_container(object, true) && json_member(object->val.binary.data, key->val.string.val, key->val.string.len, &value) ?
		copy_value(&value) : NULL;
}

/* ---- lists ---- */

static bool
read_name(const JsonbValue *element, JsonbValue *name)
{
	static const char *const members[] = {"key", "value", "name"};

	*name = *element;
	if (element->type == jbvString)
		return true;
	for (int i = 0; i < (int) lengthof(members) && is_container(element, true); i++)
		if (json_member(element->val.binary.data, members[i], strlen(members[i]), name) && name->type == jbvString)
			return true;
	return false;
}

static int
find_name(const NamedList *list, const JsonbValue *name)
{
	for (int i = 0; i < list->count; i++)
		if (json_values_equal(&list->names[i], name))
			return i;
	return -1;
}

/* The elements of a list (NULL: none); false when one has no name, or the name of another. */
static bool
read_list(const JsonbValue *value, NamedList *list)
{
	int			count = value ? JsonContainerSize(value->val.binary.data) : 0;

	list->count = 0;
	list->names = palloc(sizeof(JsonbValue) * Max(count, 1));
	list->elements = palloc(sizeof(JsonbValue) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		JsonbValue	name;

		list->elements[i] = *getIthJsonbValueFromContainer(value->val.binary.data, i);
		if (!read_name(&list->elements[i], &name) || find_name(list, &name) >= 0)
			return false;
		list->names[list->count++] = name;
	}
	return true;
}

/* Whether those of base that are in list still stand in the same order. */
static bool
keeps_order(const NamedList *base, const NamedList *list)
{
	int			last = -1;

	for (int i = 0; i < base->count; i++)
	{
		int			at = find_name(list, &base->names[i]);

		if (at >= 0 && at < last)
			return false;
		last = Max(last, at);
	}
	return true;
}

static void merge_value(Merge *merge, const char *path, const Sides *sides, JsonbIteratorToken token, const JsonbValue *key);

/* Push the element of a name, as far as the merge has one. */
static void
merge_element(Merge *merge, const char *path, const JsonbValue *name, const NamedList *lists)
{
	const JsonbValue *found[3];

	for (int i = 0; i < 3; i++)
	{
		int			at = find_name(&lists[i], name);

		found[i] = at >= 0 ? &lists[i].elements[at] : NULL;
	}
	merge_value(merge, json_pointer_to(path, pnstrdup(name->val.string.val, name->val.string.len)), &(Sides) {found[0], found[1], found[2]}, WJB_ELEM, NULL);
}

/*
 * Push the elements of first in its order, and behind each those that only second
 * has and that follow it there; what only second has at its beginning comes first.
 */
static void
merge_in_order(Merge *merge, const char *path, const NamedList *lists, const NamedList *first, const NamedList *second)
{
	for (int i = -1; i < first->count; i++)
	{
		int			next = 0;

		if (i >= 0)
		{
			merge_element(merge, path, &first->names[i], lists);
			next = find_name(second, &first->names[i]) + 1;
			if (next == 0)
				continue;
		}
		for (; next < second->count && find_name(first, &second->names[next]) < 0; next++)
			merge_element(merge, path, &second->names[next], lists);
	}
}

/* Push a list by the names of its elements; false, with nothing pushed, when they have none. */
static bool
merge_list(Merge *merge, const char *path, const Sides *sides, const JsonbValue *key)
{
	NamedList	lists[3];
	bool		reordered;

	if (!read_list(is_container(sides->base, false) ? sides->base : NULL, &lists[0]) || !read_list(sides->ours, &lists[1]) ||
		!read_list(sides->theirs, &lists[2]))
		return false;
	if (key)
		pushJsonbValue(&merge->state, WJB_KEY, copy_value(key));
	pushJsonbValue(&merge->state, WJB_BEGIN_ARRAY, NULL);
	reordered = !keeps_order(&lists[0], &lists[1]);
	merge_in_order(merge, path, lists, &lists[reordered ? 1 : 2], &lists[reordered ? 2 : 1]);
	pushJsonbValue(&merge->state, WJB_END_ARRAY, NULL);
	return true;
}

/* ---- objects ---- */

/* Merge the members of one side that are not on another, which was walked before; except "migrate" at the root. */
static void
merge_members(Merge *merge, const char *path, const Sides *sides, const JsonbValue *side, const JsonbValue *before)
{
	JsonbIterator *iterator = JsonbIteratorInit(side->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		Sides		inner;
		char	   *name;

		if (token != WJB_KEY || (before && member(before, &key)))
			continue;
		name = pnstrdup(key.val.string.val, key.val.string.len);
		if (*path == '\0' && strcmp(name, "migrate") == 0)
			continue;
		inner = (Sides) {member(sides->base, &key), member(sides->ours, &key), member(sides->theirs, &key)};
		merge_value(merge, json_pointer_to(path, name), &inner, WJB_VALUE, &key);
	}
}

static void
merge_object(Merge *merge, const char *path, const Sides *sides, const JsonbValue *key)
{
	if (key)
		pushJsonbValue(&merge->state, WJB_KEY, copy_value(key));
	pushJsonbValue(&merge->state, WJB_BEGIN_OBJECT, NULL);
	merge_members(merge, path, sides, sides->ours, NULL);
	merge_members(merge, path, sides, sides->theirs, sides->ours);
	pushJsonbValue(&merge->state, WJB_END_OBJECT, NULL);
}

static void
add_conflict(Merge *merge, const char *path, const Sides *sides)
{
	MergeConflict *conflict = palloc(sizeof(MergeConflict));

	*conflict = (MergeConflict) {pstrdup(path), copy_value(sides->base), copy_value(sides->ours), copy_value(sides->theirs)};
	merge->conflicts = lappend(merge->conflicts, conflict);
}

/* Push what the sides make together as an element, or as the member key of an object; nothing when it is gone. */
static void
merge_value(Merge *merge, const char *path, const Sides *sides, JsonbIteratorToken token, const JsonbValue *key)
{
	const JsonbValue *chosen = sides->ours;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (same(sides->ours, sides->base))
		chosen = sides->theirs;
	else if (!same(sides->ours, sides->theirs) && !same(sides->theirs, sides->base))
	{
		if (is_container(sides->ours, true) && is_container(sides->theirs, true))
		{
			merge_object(merge, path, sides, key);
			return;
		}
		if (is_container(sides->ours, false) && is_container(sides->theirs, false) && merge_list(merge, path, sides, key))
			return;
		add_conflict(merge, path, sides);
	}
	if (chosen == NULL)
		return;
	if (key)
		pushJsonbValue(&merge->state, WJB_KEY, copy_value(key));
	pushJsonbValue(&merge->state, token, copy_value(chosen));
}

Jsonb *
merge_definitions(Jsonb *base, Jsonb *ours, Jsonb *theirs, List **conflicts)
{
	Merge		merge = {NULL, NIL};
	JsonbValue	values[3];
	JsonbValue	rules;
	Jsonb	   *result;

	JsonbToJsonbValue(base, &values[0]);
	JsonbToJsonbValue(ours, &values[1]);
	JsonbToJsonbValue(theirs, &values[2]);
	pushJsonbValue(&merge.state, WJB_BEGIN_OBJECT, NULL);
	merge_members(&merge, "", &(Sides) {&values[0], &values[1], &values[2]}, &values[1], NULL);
	merge_members(&merge, "", &(Sides) {&values[0], &values[1], &values[2]}, &values[2], &values[1]);
	result = JsonbValueToJsonb(pushJsonbValue(&merge.state, WJB_END_OBJECT, NULL));
	*conflicts = merge.conflicts;
	return json_member(&theirs->root, "migrate", 7, &rules) ? json_with_member(result, "migrate", 7, &rules) : result;
}
