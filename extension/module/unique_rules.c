/*
 * unique_rules.c
 *	  The rules of a definition about what no two records share (unique_rules.h).
 *
 * "unique":[{"fields":["site","number"]}] is a constraint as UNIQUE (site, number) is in
 * SQL: a record that lacks a value of one of the fields is held against no other.  Pure.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/index.h"
#include "module/members.h"
#include "module/unique_rules.h"

/* ---- reading, without faults ---- */

static UniqueRule *
make_rule(List *keys, int set)
{
	UniqueRule *rule = palloc0(sizeof(UniqueRule));
	StringInfoData name;
	ListCell   *cell;

	initStringInfo(&name);
	foreach(cell, keys)
	{
		const char *key = lfirst(cell);

		appendStringInfo(&name, "%s%s", name.len > 0 ? "," : "", key);
	}
	*rule = (UniqueRule) {.name = name.data, .set = set, .keys = keys};
	return rule;
}

List *
unique_rules_read(Jsonb *definition)
{
	const JsonbContainer *fields = index_fields(definition);
	List	   *rules = NIL;
	JsonbValue	sets;

	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
		if (definition_is_unique(index_field(fields, i)))
			rules = lappend(rules, make_rule(list_make1(json_member_text(index_field(fields, i), "key")), -1));
	if (!json_member(&definition->root, "unique", 6, &sets))
		return rules;
	for (uint32 i = 0; i < JsonContainerSize(sets.val.binary.data); i++)
	{
		JsonbValue	set;
		JsonbValue	keys;
		List	   *listed = NIL;

		json_member(check_element(sets.val.binary.data, i, &set), "fields", 6, &keys);
		for (uint32 j = 0; j < JsonContainerSize(keys.val.binary.data); j++)
			listed = lappend(listed, json_text_copy(getIthJsonbValueFromContainer(keys.val.binary.data, j)));
		rules = lappend(rules, make_rule(listed, i));
	}
	return rules;
}

const UniqueRule *
unique_rules_find(const List *rules, const char *name)
{
	ListCell   *cell;

	foreach(cell, rules)
		if (strcmp(((const UniqueRule *) lfirst(cell))->name, name) == 0)
			return lfirst(cell);
	return NULL;
}

/* ---- checking ---- */

static void
check_key(const JsonbValue *value, const char *path, const Names *fields, List **keys, ViolationList *faults)
{
	char	   *key = value->type == jbvString ? json_text_copy(value) : NULL;
	ListCell   *cell;

	if (key == NULL || !check_has_name(fields, key))
	{
		violation_add(faults, path, key ? "undefined" : "type", "must be the key of a field of the module");
		return;
	}
	foreach(cell, *keys)
		if (strcmp(lfirst(cell), key) == 0)
			violation_add_first(faults, path, "unique", "is listed twice");
	for (int i = 0; i < fields->count; i++)
		if (strcmp(fields->items[i], key) == 0 && !definition_type_takes(fields->types[i], "unique"))
			violation_add(faults, path, "type", "is of type %s, whose values cannot be unique", module_field_types[fields->types[i]].name);
	*keys = lappend(*keys, key);
}

/* Whether two lists have the same keys, in whichever order. */
static bool
are_same(const List *left, const List *right)
{
	ListCell   *cell;
	ListCell   *other;

	if (list_length(left) != list_length(right))
		return false;
	foreach(cell, left)
	{
		bool		found = false;

		foreach(other, right)
			found |= strcmp(lfirst(cell), lfirst(other)) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* The keys of a set; NIL with a fault. */
static List *
check_set(const JsonbContainer *set, const char *path, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *listed;
	int			faults_before = faults->count;
	List	   *keys = NIL;

	members_check(set, unique_members, path, faults);
	listed = check_array(set, "fields", path, faults);
	if (listed == NULL || JsonContainerSize(listed) < 2 || JsonContainerSize(listed) > QEHS_MAX_UNIQUE_FIELDS)
		violation_add_first(faults, psprintf("%s/fields", path), "required", "must list 2 to %d fields; one alone is \"unique\" itself",
							QEHS_MAX_UNIQUE_FIELDS);
	for (uint32 i = 0; listed && i < JsonContainerSize(listed); i++)
		check_key(getIthJsonbValueFromContainer(unconstify(JsonbContainer *, listed), i), psprintf("%s/fields/%u", path, i), fields, &keys, faults);
	return faults->count == faults_before ? keys : NIL;
}

void
unique_rules_check(const JsonbContainer *root, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *sets = check_array(root, "unique", "", faults);
	List	   *known = NIL;

	if (sets && JsonContainerSize(sets) > QEHS_MAX_UNIQUE_SETS)
		violation_add(faults, "/unique", "maxItems", "must have at most %d elements", QEHS_MAX_UNIQUE_SETS);
	for (uint32 i = 0; sets && i < JsonContainerSize(sets) && i < QEHS_MAX_UNIQUE_SETS; i++)
	{
		char	   *path = psprintf("/unique/%u", i);
		JsonbValue	value;
		const JsonbContainer *set = check_element(sets, i, &value);
		List	   *keys = NIL;
		ListCell   *cell;

		if (set)
			keys = check_set(set, path, fields, faults);
		else
			violation_add(faults, path, "type", "must be an object such as {\"fields\":[\"site\",\"number\"]}");
		foreach(cell, known)
			if (keys && are_same(keys, lfirst(cell)))
				violation_add_first(faults, path, "unique", "has the fields of another element");
		known = keys ? lappend(known, keys) : known;
	}
}
