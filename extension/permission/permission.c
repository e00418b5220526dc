/*
 * permission.c
 *	  The one place that decides what a caller may do in a module.
 *
 * What the roles give, cut by the key's modules and scopes.  tenant-owner and
 * tenant-admin may do everything; the other built-in roles have defaults where a
 * definition does not name them.
 */
#include "base/compat.h"

#include "module/module.h"

static const struct
{
	ModuleAction action;
	const char *name;
	Scope		scope;
}			actions[] = {
	{ACTION_READ, "read", SCOPE_RECORDS_READ},
	{ACTION_CREATE, "create", SCOPE_RECORDS_WRITE},
	{ACTION_UPDATE, "update", SCOPE_RECORDS_WRITE},
	{ACTION_DELETE, "delete", SCOPE_RECORDS_WRITE},
	{ACTION_TRANSITION, "transition", SCOPE_RECORDS_WRITE},
	{ACTION_EXPORT, "export", SCOPE_EXPORTS_CREATE},
	{ACTION_COMMENT, "comment", SCOPE_RECORDS_WRITE},
	{ACTION_BULK_STATE, "bulk.state", SCOPE_RECORDS_WRITE},
};

static const ModuleRole built_in[] = {
	{"tenant-user", ACTION_READ | ACTION_CREATE | ACTION_UPDATE | ACTION_COMMENT},
	{"viewer", ACTION_READ},
};

const char *
permission_action_name(ModuleAction action)
{
	for (int i = 0; i < (int) lengthof(actions); i++)
		if (actions[i].action == action)
			return actions[i].name;
	return "unknown";
}

uint32
permission_action_parse(const char *name)
{
	for (int i = 0; i < (int) lengthof(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].action;
	return 0;
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

uint32
permission_actions(const RequestContext *context, const ModuleDef *module)
{
	uint32		given = context->administrator ? ACTION_ALL : 0;

	/* what an older version of the definition gave is no more given */
	module = module_lookup_version(module->tenant_id, module->module_id, 0);
	if (!context_has_module(context, module->key))
		return 0;
	for (int i = 0; i < context->role_count && !context->administrator; i++)
		if (!find_role(module->roles, module->role_count, context->roles[i], &given))
			find_role(built_in, lengthof(built_in), context->roles[i], &given);
	for (int i = 0; i < (int) lengthof(actions); i++)
		if (!(context->scopes & actions[i].scope))
			given &= ~(uint32) actions[i].action;
	return given;
}

void
permission_require(const RequestContext *context, const ModuleDef *module, ModuleAction action)
{
	if (!(permission_actions(context, module) & action))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key with a role that permits it.",
					  "the caller may not %s records of module \"%s\"", permission_action_name(action), module->key);
}
