/*
 * permission.c
 *	  Which actions a caller has in a module and on a record.
 *
 * What the roles give, cut by the key's modules and scopes.  The built-in roles
 * tenant-user and viewer have defaults where a definition does not name them.
 */
#include "base/compat.h"

#include "base/json.h"
#include "permission/location.h"
#include "permission/roles.h"

static const struct
{
	ModuleAction action;
	Scope		scope;
}			scopes[] = {
	{ACTION_READ, SCOPE_RECORDS_READ},
	{ACTION_CREATE, SCOPE_RECORDS_WRITE},
	{ACTION_UPDATE, SCOPE_RECORDS_WRITE},
	{ACTION_DELETE, SCOPE_RECORDS_WRITE},
	{ACTION_TRANSITION, SCOPE_RECORDS_WRITE},
	{ACTION_BULK_STATE, SCOPE_RECORDS_WRITE},
	{ACTION_EXPORT, SCOPE_EXPORTS_CREATE},
	{ACTION_COMMENT, SCOPE_RECORDS_WRITE},
	{ACTION_HOLD, SCOPE_HOLDS_WRITE},
	{ACTION_AUDIT, SCOPE_AUDIT_READ},
	{ACTION_COUNT, SCOPE_MODULES_READ},
};

static const ModuleRole built_in[] = {
	{"tenant-user", ACTION_READ | ACTION_CREATE | ACTION_UPDATE | ACTION_EXPORT | ACTION_COMMENT, 0, 0},
	{"viewer", ACTION_READ | ACTION_EXPORT, 0, 0},
};

uint32
permission_token_scopes(const RequestContext *context)
{
	return permission_is_administrator(context) ? SCOPE_ALL : SCOPE_ALL & ~(SCOPE_ADMIN_USERS | SCOPE_ADMIN_KEYS | SCOPE_RECORDS_PURGE);
}

static bool
find_role(const ModuleRole *roles, int count, const char *name, uint32 *given)
{
	for (int i = 0; i < count; i++)
	{
		if (strcmp(roles[i].name, name) == 0)
		{
			*given |= roles[i].actions;
			return true;
		}
	}
	return false;
}

/* What the caller's own roles give. */
static uint32
given_by_caller(const RequestContext *context, const ModuleDef *module)
{
	uint32		given = 0;

	if (permission_is_administrator(context))
		return ACTION_ALL;
	for (int i = 0; i < context->role_count; i++)
		if (!find_role(module->roles, module->role_count, context->roles[i], &given))
			find_role(built_in, lengthof(built_in), context->roles[i], &given);
	return given;
}

/* Whether the record is in a location that the caller reaches; module is the current definition. */
static bool
is_in_location(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject)
{
	const char *key;
	JsonbValue	value;

	if (subject == &permission_some_record)
		return true;
	key = module->location && subject->payload ? module_field_key(module->location, subject->definition_version) : NULL;
	return key && json_member(&subject->payload->root, key, strlen(key), &value) && value.type == jbvString &&
		location_is_reached(context, value.val.string.val, value.val.string.len);
}

/* What the record gives: roles to the caller, and to the caller's roles what they may do to own records and to those in his locations. */
static uint32
given_by_record(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject)
{
	uint32		given = 0;

	for (int i = 0; i < module->role_count && subject; i++)
	{
		const ModuleRole *role = &module->roles[i];

		if (role->name[0] == '@' && roles_of_record(context, module, subject, role->name))
			given |= role->actions;
		if (role->own_actions && roles_any(context, module, subject, &role->name, 1) && roles_of_record(context, module, subject, QEHS_ROLE_CREATOR))
			given |= role->own_actions;
		if (role->location_actions && roles_any(context, module, subject, &role->name, 1) && is_in_location(context, module, subject))
			given |= role->location_actions;
	}
	return given;
}

/* What of the actions the key's modules and scopes reach. */
static uint32
within_key(const RequestContext *context, const ModuleDef *module, uint32 given)
{
	if (!context_has_module(context, module->key))
		return 0;
	for (int i = 0; i < (int) lengthof(scopes); i++)
		if (!(context->scopes & scopes[i].scope))
			given &= ~(uint32) scopes[i].action;
	return given;
}

uint32
permission_actions(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject)
{
	module = roles_current(module);
	return within_key(context, module, roles_implied(given_by_caller(context, module) | given_by_record(context, module, subject)));
}

const char *
permission_location_key(const RequestContext *context, const ModuleDef *module)
{
	const ModuleField *location = roles_current(module)->location;

	return location && !permission_is_administrator(context) ? module_field_key(location, module->version) : NULL;
}

bool
permission_may_place(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition, const PermissionSubject *after)
{
	const char *key = permission_location_key(context, module);

	if (key == NULL || permission_may(context, module, ACTION_UPDATE, after, NULL))
		return true;
	for (int i = 0; transition && i < transition->requires_count; i++)
		if (strcmp(transition->requires[i], key) == 0)
			return permission_may_fire(context, module, transition, after);
	return false;
}

bool
permission_depends_on_record(const RequestContext *context, const ModuleDef *module)
{
	return roles_current(module)->has_record_roles && !permission_is_administrator(context);
}

bool
permission_audits_all(const RequestContext *context)
{
	return permission_is_administrator(context) && context->module_count < 0 && (context->scopes & SCOPE_AUDIT_READ) != 0;
}

bool
permission_may(const RequestContext *context, const ModuleDef *module, ModuleAction action, const PermissionSubject *subject,
			   const ModuleField *field)
{
	if (!(permission_actions(context, module, subject) & action))
		return false;
	if (field == NULL)
		return true;
	return action == ACTION_READ ? permission_reads_field(context, module, field, subject) :
		permission_writes_field(context, module, field, subject);
}

void
permission_require(const RequestContext *context, const ModuleDef *module, ModuleAction action, const PermissionSubject *subject)
{
	if (!permission_may(context, module, action, subject, NULL))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key with a role that permits it.",
					  "the caller may not %s%s records of module \"%s\"", module_action_name(action),
					  action == ACTION_COMMENT ? " on" : "", module->key);
}

bool
permission_may_fire(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition,
					const PermissionSubject *subject)
{
	uint32		actions = permission_actions(context, module, subject);

	if (!(actions & ACTION_READ) || !(context->scopes & SCOPE_RECORDS_WRITE))
		return false;
	if (permission_is_administrator(context))
		return true;
	if (transition->role_count == 0)
		return (actions & ACTION_TRANSITION) != 0;
	return roles_any(context, module, subject, transition->roles, transition->role_count);
}

bool
permission_is_one_of(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const ModuleRoles *roles)
{
	return roles->count > 0 && roles_any(context, module, subject, roles->names, roles->count);
}

bool
permission_may_start_in(const RequestContext *context, const ModuleDef *module, const char *state)
{
	return strcmp(state, module->initial) == 0 || permission_may(context, module, ACTION_BULK_STATE, NULL, NULL);
}

void
permission_require_definition(const RequestContext *context, const char *module_key, const char *verb)
{
	if (!permission_is_administrator(context))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key with one of these roles.",
					  "only a tenant-owner or tenant-admin may %s modules", verb);
	if (module_key && !context_has_module(context, module_key))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key that names the module, or none.",
					  "the API key may not touch the module \"%s\"", module_key);
}

bool
permission_holds(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject)
{
	if (module)
		return permission_may(context, module, ACTION_HOLD, subject, NULL);
	return permission_is_administrator(context) && context->module_count < 0 && (context->scopes & SCOPE_HOLDS_WRITE) != 0;
}

void
permission_require_disposal(const RequestContext *context, const ModuleDef *module, const char *verb)
{
	if (!permission_is_administrator(context) || !context_has_module(context, module->key) || !(context->scopes & SCOPE_RECORDS_PURGE))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key with role tenant-owner or tenant-admin and scope records.purge.",
					  "the caller may not %s records of module \"%s\"", verb, module->key);
}

bool
permission_changes_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
					   const ModuleTransition *transition, const char *key, int length)
{
	bool		within = transition == NULL || permission_may(context, module, ACTION_UPDATE, subject, NULL);

	for (int i = 0; !within && i < transition->requires_count; i++)
		within = strlen(transition->requires[i]) == (size_t) length && memcmp(transition->requires[i], key, length) == 0;
	return within && permission_writes_key(context, module, subject, module->version, key, length);
}
