/*
 * check_permissions.c
 *	  Every fault of a definition's permissions: actions of roles, readers and
 *	  writers of fields.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/members.h"

char *
check_role_name(const JsonbValue *role, const char *path, const Names *fields, ViolationList *faults)
{
	char	   *name = check_is_line(role, QEHS_ROLE_BYTES) ? json_text_copy(role) : NULL;

	if (name == NULL)
		violation_add(faults, path, "type", "must be the name of a role");
	else if (*name == '@' && strcmp(name, QEHS_ROLE_CREATOR) != 0 && !check_is_user_field(fields, name + 1))
	{
		violation_add(faults, path, "undefined", "is not a field of type user: \"%s\"", name + 1);
		return NULL;
	}
	return name;
}

/* {"read":[role],"write":[role]} of one field. */
static void
check_field_rule(const JsonbContainer *rule, const char *path, const Names *fields, ViolationList *faults)
{
	static const char *const known[] = {"read", "write"};

	members_check(rule, field_rule_members, path, faults);
	for (int i = 0; i < (int) lengthof(known); i++)
	{
		const JsonbContainer *roles = check_array(rule, known[i], path, faults);

		for (uint32 j = 0; roles && j < JsonContainerSize(roles); j++)
		{
			JsonbValue	role;

			check_element(roles, j, &role);
			check_role_name(&role, psprintf("%s/%s/%u", path, known[i], j), fields, faults);
		}
	}
}

static void
check_field_rules(const JsonbContainer *permissions, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *rules = check_object(permissions, "fields", "/permissions", faults);
	JsonbIterator *iterator = rules ? JsonbIteratorInit(unconstify(JsonbContainer *, rules)) : NULL;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = NULL;

	while (rules && (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *path;

		if (token == WJB_KEY)
			name = json_text_copy(&value);
		if (token != WJB_VALUE)
			continue;
		path = json_pointer_to("/permissions/fields", name);
		if (!check_has_name(fields, name))
			violation_add(faults, path, "undefined", "is not a field: \"%s\"", name);
		if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
			violation_add(faults, path, "type", "must be an object with \"read\" and \"write\"");
		else
			check_field_rule(value.val.binary.data, path, fields, faults);
	}
}

/* Whether fields of a definition have one of the key that is indexed and of type location. */
static bool
is_location(const JsonbContainer *definition, const char *key)
{
	JsonbValue	value;
	const JsonbContainer *fields;

	if (!json_member(definition, "fields", 6, &value) || value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		return false;
	fields = value.val.binary.data;
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
	{
		const JsonbContainer *field = check_element(fields, i, &value);
		const char *name = field ? json_member_text(field, "key") : NULL;

		if (name && strcmp(name, key) == 0)
			return definition_field_type(field) == FIELD_LOCATION && json_member_bool(field, "indexed", false);
	}
	return false;
}

/* "location": the field that says where a record is, which lists look records up by.  Whether it is there. */
static bool
check_location(const JsonbContainer *definition, const JsonbContainer *permissions, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(permissions, "location", 8, &value))
		return false;
	if (value.type != jbvString || !is_location(definition, json_text_copy(&value)))
		violation_add(faults, "/permissions/location", "undefined", "must name an indexed field of type location");
	return true;
}

/* Of whom, and of what, actions are, and so which of them may be. */
typedef struct ActionsCheck
{
	bool		of_record;		/* given by a record, or on own records: none that need no record */
	bool		in_location;	/* of records in a location, which one that is to be created has too */
	bool		nested;			/* within {"actions","scope"} */
	bool		has_location;	/* the definition says where a record is */
} ActionsCheck;

static void check_actions(const JsonbValue *actions, const char *path, ActionsCheck check, ViolationList *faults);

/* {"actions":[action],"scope":"own"|"location"}: on own records alone, or on those in a location of the caller's. */
static void
check_scoped_actions(const JsonbContainer *scoped, const char *path, ActionsCheck check, ViolationList *faults)
{
	char	   *scope = json_member_text(scoped, "scope");
	JsonbValue	actions;

	members_check(scoped, scoped_actions_members, path, faults);
	check.in_location = scope && strcmp(scope, "location") == 0;
	check.nested = true;
	if (!check.in_location && (scope == NULL || strcmp(scope, "own") != 0))
		violation_add(faults, psprintf("%s/scope", path), "enum", "must be one of own, location");
	else if (check.in_location && !check.has_location)
		violation_add(faults, psprintf("%s/scope", path), "undefined", "needs \"location\" in permissions, the field that says where a record is");
	check.of_record |= !check.in_location;
	if (json_member(scoped, "actions", 7, &actions))
		check_actions(&actions, psprintf("%s/actions", path), check, faults);
	else
		violation_add(faults, psprintf("%s/actions", path), "required", "is required");
}

static void
check_actions(const JsonbValue *actions, const char *path, ActionsCheck check, ViolationList *faults)
{
	if (actions->type != jbvBinary || !JsonContainerIsArray(actions->val.binary.data))
	{
		violation_add(faults, path, "type", "must be an array of actions");
		return;
	}
	for (uint32 i = 0; i < JsonContainerSize(actions->val.binary.data); i++)
	{
		JsonbValue	value;
		uint32		action;

		check_element(actions->val.binary.data, i, &value);
		if (!check.nested && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		{
			check_scoped_actions(value.val.binary.data, psprintf("%s/%u", path, i), check, faults);
			continue;
		}
		action = value.type == jbvString ? module_action_parse(json_text_copy(&value)) : 0;
		if (action == 0)
			violation_add(faults, psprintf("%s/%u", path, i), "enum",
						  "must be one of %s", module_action_words());
		else if (check.of_record && (action & (ACTION_CREATE | ACTION_BULK_STATE)))
			violation_add(faults, psprintf("%s/%u", path, i), "enum", "cannot be given by a record, which is not there yet");
		else if (check.in_location && (action & ACTION_BULK_STATE))
			violation_add(faults, psprintf("%s/%u", path, i), "enum", "cannot be had in some locations only");
	}
}

void
check_permissions(const JsonbContainer *definition, const JsonbContainer *permissions, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *roles = check_object(permissions, "roles", "/permissions", faults);
	ActionsCheck check = {.has_location = check_location(definition, permissions, faults)};
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = NULL;
	char	   *path = NULL;

	members_check(permissions, permission_members, "/permissions", faults);
	check_field_rules(permissions, fields, faults);
	if (roles == NULL)
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, roles));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			path = json_pointer_to("/permissions/roles", json_text_copy(&value));
			name = check_role_name(&value, path, fields, faults);
		}
		else if (token == WJB_VALUE)
		{
			check.of_record = name && *name == '@';
			check_actions(&value, path, check, faults);
		}
	}
}
