/*
 * check_retention.c
 *	  Every fault of "retention": how long records are kept, and what becomes of them then.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/members.h"

/* Whether the key is of a field that has an index of times, by which the records whose time is over are found. */
static bool
is_indexed_time(const JsonbContainer *definition, const Names *fields, const char *key)
{
	JsonbValue	list;

	json_member(definition, "fields", 6, &list);
	for (int i = 0; i < fields->count; i++)
		if (strcmp(fields->items[i], key) == 0 && (fields->types[i] == FIELD_DATE || fields->types[i] == FIELD_DATETIME))
		{
			for (uint32 j = 0; j < JsonContainerSize(list.val.binary.data); j++)
			{
				JsonbValue	value;
				const JsonbContainer *field = check_element(list.val.binary.data, j, &value);
				char	   *name = field ? json_member_text(field, "key") : NULL;

				if (name && strcmp(name, key) == 0)
					return json_member_bool(field, "indexed", false);
			}
		}
	return false;
}

/* {"after","from","action"} */
static void
check_rule(const JsonbContainer *definition, const JsonbContainer *rule, const char *path, const Names *fields, ViolationList *faults)
{
	char	   *after = json_member_text(rule, "after");
	char	   *from = json_member_text(rule, "from");
	char	   *action = json_member_text(rule, "action");
	bool		deletes = action && strcmp(action, "delete") == 0;
	Duration	duration;
	JsonbValue	value;

	members_check(rule, retention_members, path, faults);
	if (after == NULL || !duration_read(after, strlen(after), &duration))
		violation_add(faults, psprintf("%s/after", path), "pattern", "must be a duration of at most %d years such as P7Y", QEHS_DURATION_YEARS);
	if (!deletes && (action == NULL || strcmp(action, "purge") != 0))
		violation_add(faults, psprintf("%s/action", path), "enum", "must be \"delete\" or \"purge\"");
	if (!json_member(rule, "from", 4, &value))
		return;
	path = psprintf("%s/from", path);
	if (from && strcmp(from, "deletedAt") == 0)
	{
		if (deletes)
			violation_add(faults, path, "conflict", "must not be deletedAt where the action is \"delete\"");
	}
	else if (from == NULL || (strcmp(from, "createdAt") != 0 && !is_indexed_time(definition, fields, from)))
		violation_add(faults, path, "undefined", "must be createdAt, deletedAt or the key of a field of type date or datetime that is indexed");
}

void
check_retention(const JsonbContainer *definition, const Names *fields, ViolationList *faults)
{
	JsonbValue	value;
	uint32		count;

	if (!json_member(definition, "retention", 9, &value))
		return;
	if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
	{
		check_rule(definition, value.val.binary.data, "/retention", fields, faults);
		return;
	}
	count = value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data) ? JsonContainerSize(value.val.binary.data) : 0;
	if (count < 1 || count > QEHS_MAX_RETENTION_RULES)
		violation_add(faults, "/retention", "type", "must be a rule {\"after\",\"from\",\"action\"}, or an array of 1 to %d of them", QEHS_MAX_RETENTION_RULES);
	for (uint32 i = 0; i < Min(count, QEHS_MAX_RETENTION_RULES); i++)
	{
		JsonbValue	element;
		const JsonbContainer *rule = check_element(value.val.binary.data, i, &element);

		if (rule)
			check_rule(definition, rule, psprintf("/retention/%u", i), fields, faults);
		else
			violation_add(faults, psprintf("/retention/%u", i), "type", "must be an object");
	}
}
