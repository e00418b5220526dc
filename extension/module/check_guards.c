/*
 * check_guards.c
 *	  Every fault of what stands around a workflow: the guards of transitions that
 *	  look beyond the payload, and states that lock.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/members.h"

#define MAX_MIN 1000

/* ---- guards ---- */

/* "@createdBy" and "@field" of a field of type user: one, or an array. */
static void
check_others(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults)
{
	JsonbValue	value;
	bool		is_array;

	if (!json_member(transition, "notSameActorAs", strlen("notSameActorAs"), &value))
		return;
	path = psprintf("%s/notSameActorAs", path);
	is_array = value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data);
	for (uint32 i = 0; i < (is_array ? JsonContainerSize(value.val.binary.data) : 1); i++)
	{
		JsonbValue	item = is_array ? *getIthJsonbValueFromContainer(value.val.binary.data, i) : value;
		const char *at = is_array ? psprintf("%s/%u", path, i) : path;
		char	   *name = check_role_name(&item, at, fields, faults);

		if (name && *name != '@')
			violation_add(faults, at, "pattern", "must be \"@createdBy\" or @ and the key of a field of type user");
	}
}

/* Names of states, of another module perhaps: a text or an array. */
static void
check_state_names(const JsonbContainer *guard, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(guard, "state", 5, &value))
		return;
	path = psprintf("%s/state", path);
	if (value.type == jbvString ? !check_is_name(json_text_copy(&value), true) :
		value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data) || JsonContainerSize(value.val.binary.data) == 0)
	{
		violation_add(faults, path, "type", "must be the name of a state, or an array of at least one");
		return;
	}
	for (uint32 i = 0; value.type == jbvBinary && i < JsonContainerSize(value.val.binary.data); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(value.val.binary.data, i);

		if (item->type != jbvString || !check_is_name(json_text_copy(item), true))
			violation_add(faults, psprintf("%s/%u", path, i), "type", "must be the name of a state");
	}
}

static void
check_child_guard(const JsonbContainer *guard, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	int32		min;
	bool		has_min = json_member(guard, "min", 3, &value);

	members_check(guard, children_members, path, faults);
	if (!check_is_name(json_member_text(guard, "moduleKey"), true))
		violation_add(faults, psprintf("%s/moduleKey", path), "required", "must be the key of a module");
	if (!check_is_name(json_member_text(guard, "via"), false))
		violation_add(faults, psprintf("%s/via", path), "required", "must be the key of a field of that module, of type record-reference or record-references");
	if (has_min && (!json_member_int(guard, "min", &min) || min < 1 || min > MAX_MIN))
		violation_add(faults, psprintf("%s/min", path), "range", "must be an integer from 1 to %d", MAX_MIN);
	if (!has_min && !json_member(guard, "state", 5, &value))
		violation_add(faults, psprintf("%s/state", path), "required", "is required where there is no \"min\"");
	check_state_names(guard, path, faults);
}

/* "attachments":{"min","field","mediaTypes"} */
static void
check_file_guard(const JsonbContainer *guard, const char *path, const Names *fields, ViolationList *faults)
{
	JsonbValue	value;
	int32		min;
	char	   *field = json_member_text(guard, "field");

	members_check(guard, files_members, path, faults);
	if (json_member(guard, "min", 3, &value) && (!json_member_int(guard, "min", &min) || min < 1 || min > MAX_MIN))
		violation_add(faults, psprintf("%s/min", path), "range", "must be an integer from 1 to %d", MAX_MIN);
	if (json_member(guard, "field", 5, &value) && (field == NULL || !check_is_file_field(fields, field)))
		violation_add(faults, psprintf("%s/field", path), "undefined", "must be the key of a field of type file, image or signature");
	check_media_types(guard, path, faults);
}

static void
check_one(const JsonbContainer *guard, const char *key, const char *path, const Names *fields, ViolationList *faults)
{
	if (strcmp(key, "children") == 0)
		check_child_guard(guard, path, faults);
	else
		check_file_guard(guard, path, fields, faults);
}

/* A guard under the key, or an array of at most so many. */
static void
check_one_or_many(const JsonbContainer *transition, const char *key, uint32 most, const char *path, const Names *fields, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(transition, key, strlen(key), &value))
		return;
	path = psprintf("%s/%s", path, key);
	if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		check_one(value.val.binary.data, key, path, fields, faults);
	else if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data) || JsonContainerSize(value.val.binary.data) > most)
		violation_add(faults, path, "type", "must be a guard, an object, or an array of at most %u", most);
	else
		for (uint32 i = 0; i < JsonContainerSize(value.val.binary.data); i++)
		{
			JsonbValue	item;
			const JsonbContainer *guard = check_element(value.val.binary.data, i, &item);

			if (guard)
				check_one(guard, key, psprintf("%s/%u", path, i), fields, faults);
			else
				violation_add(faults, psprintf("%s/%u", path, i), "type", "must be an object");
		}
}

void
check_guards(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults)
{
	check_others(transition, path, fields, faults);
	check_one_or_many(transition, "children", QEHS_MAX_CHILDREN_GUARDS, path, fields, faults);
	check_one_or_many(transition, "attachments", QEHS_MAX_ATTACHMENT_GUARDS, path, fields, faults);
}

/* ---- states that lock ---- */

/* An array of roles under a key of object. */
static void
check_editors(const JsonbContainer *object, const char *key, const char *path, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *roles = check_array(object, key, path, faults);

	for (uint32 i = 0; roles && i < JsonContainerSize(roles); i++)
	{
		JsonbValue	role;

		check_element(roles, i, &role);
		check_role_name(&role, psprintf("%s/%u", json_pointer_to(path, key), i), fields, faults);
	}
}

static void
check_lock(const JsonbContainer *lock, const char *path, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *rules = check_object(lock, "fields", path, faults);
	JsonbIterator *iterator = rules ? JsonbIteratorInit(unconstify(JsonbContainer *, rules)) : NULL;
	JsonbIteratorToken token;
	JsonbValue	key;

	members_check(lock, lock_members, path, faults);
	check_editors(lock, "edit", path, fields, faults);
	path = psprintf("%s/fields", path);
	while (rules && (token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = json_text_copy(&key);
		if (!check_has_name(fields, name))
			violation_add(faults, json_pointer_to(path, name), "undefined", "is not a field: \"%s\"", name);
		check_editors(rules, name, path, fields, faults);
	}
}

void
check_locks(const JsonbContainer *definition, const JsonbContainer *permissions, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *locks = check_object(permissions, "states", "/permissions", faults);
	JsonbIterator *iterator = locks ? JsonbIteratorInit(unconstify(JsonbContainer *, locks)) : NULL;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *path = NULL;

	while (locks && (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			path = json_pointer_to("/permissions/states", json_text_copy(&value));
			if (!check_has_state(definition, &value))
				violation_add(faults, path, "undefined", "is not a state");
		}
		else if (token == WJB_VALUE && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			check_lock(value.val.binary.data, path, fields, faults);
		else if (token == WJB_VALUE)
			violation_add(faults, path, "type", "must be an object with \"edit\" and \"fields\"");
	}
}
