/*
 * check_permissions.c
 *	  Every fault of a definition's permissions: actions of roles, readers and
 *	  writers of fields.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"

static const char *const permission_members[] = {"roles", "fields", NULL};

/* {"read":[role],"write":[role]} of one field. */
static void
check_field_rule(const JsonbContainer *rule, const char *path, ViolationList *faults)
{
	static const char *const known[] = {"read", "write", NULL};

	check_members(rule, known, path, faults);
	for (int i = 0; known[i]; i++)
	{
		const JsonbContainer *roles = check_array(rule, known[i], path, faults);

		for (uint32 j = 0; roles && j < JsonContainerSize(roles); j++)
		{
			JsonbValue	role;

			check_element(roles, j, &role);
			if (!check_is_line(&role, QEHS_ROLE_BYTES))
				violation_add(faults, psprintf("%s/%s/%u", path, known[i], j), "type", "must be the name of a role");
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
			check_field_rule(value.val.binary.data, path, faults);
	}
}

void
check_permissions(const JsonbContainer *permissions, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *roles = check_object(permissions, "roles", "/permissions", faults);
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *path = NULL;

	check_members(permissions, permission_members, "/permissions", faults);
	check_field_rules(permissions, fields, faults);
	if (roles == NULL)
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, roles));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			path = json_pointer_to("/permissions/roles", json_text_copy(&value));
			if (!check_is_line(&value, QEHS_ROLE_BYTES))
				violation_add(faults, path, "pattern", "must be the name of a role: 1 to %d bytes without control characters", QEHS_ROLE_BYTES);
		}
		else if (token == WJB_VALUE && (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data)))
			violation_add(faults, path, "type", "must be an array of actions");
		else if (token == WJB_VALUE)
		{
			uint32		count = JsonContainerSize(value.val.binary.data);

			for (uint32 i = 0; i < count; i++)
			{
				JsonbValue	action;

				check_element(value.val.binary.data, i, &action);
				if (action.type != jbvString || module_action_parse(json_text_copy(&action)) == 0)
					violation_add(faults, psprintf("%s/%u", path, i), "enum",
								  "must be one of read, create, update, delete, transition, export, comment, bulk.state");
			}
		}
	}
}
