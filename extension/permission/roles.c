/*
 * roles.c
 *	  Which roles a caller has, by itself and by what a record says.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "permission/roles.h"

const PermissionSubject permission_some_record;

bool
roles_has(const RequestContext *context, const char *role)
{
	for (int i = 0; i < context->role_count; i++)
		if (strcmp(context->roles[i], role) == 0)
			return true;
	return false;
}

bool
roles_of_record(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const char *role)
{
	const ModuleField *field;
	const char *key;
	JsonbValue	value;
	pg_uuid_t	id;

	if (subject == NULL || subject == &permission_some_record)
		return subject != NULL;
	if (strcmp(role, QEHS_ROLE_CREATOR) == 0)
		id = subject->created_by;
	else
	{
		field = module_field(module, role + 1, strlen(role + 1));
		if (field == NULL || field->type != FIELD_USER || !(key = module_field_key(field, subject->definition_version)) ||
			!json_member(&subject->payload->root, key, strlen(key), &value) ||
			value.type != jbvString || !id_parse(value.val.string.val, value.val.string.len, QEHS_ID_USER, &id))
			return false;
	}
	return memcmp(&id, &context->actor_id, sizeof(id)) == 0;
}

bool
roles_any(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (names[i][0] == '@' ? roles_of_record(context, module, subject, names[i]) : roles_has(context, names[i]))
			return true;
	return false;
}

bool
permission_is_administrator(const RequestContext *context)
{
	return context->actor_type == ACTOR_SYSTEM || roles_has(context, "tenant-owner") || roles_has(context, "tenant-admin");
}
