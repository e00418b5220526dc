/*
 * state_permission.c
 *	  States that lock: who may change a record while it is in one.
 *
 * "permissions":{"states":{"closed":{"edit":[role],"fields":{"rca_text":[role]}}}}: in
 * the state only who has one of the roles of "edit" may change the record, and a
 * field that "fields" lists only who has one of its roles.  Nobody is above it, no
 * administrator and not the system, where it does not name him: "edit":[] locks for
 * all.  It takes from what the action update gives and gives nothing itself.
 *
 * Transitions leave a locked state all the same, with what they require.
 */
#include "base/compat.h"

#include "permission/roles.h"

static const ModuleLock *
find_lock(const ModuleDef *module, const char *state)
{
	for (int i = 0; i < module->lock_count; i++)
		if (strcmp(module->locks[i].state, state) == 0)
			return &module->locks[i];
	return NULL;
}

/* The lock of a state: by the current definition, or, of a state that it has no more, by the record's own.  Sets *of to which. */
static const ModuleLock *
lock_of(const ModuleDef *module, const char *state, const ModuleDef **of)
{
	const ModuleDef *current = roles_current(module);

	*of = module_has_state(current, state) ? current : module;
	return find_lock(*of, state);
}

bool
permission_locks(const ModuleDef *module, const char *state)
{
	const ModuleDef *of;

	return lock_of(module, state, &of) != NULL;
}

/* The roles that count for what a record of module has under the key. */
static const ModuleRoles *
editors_of(const ModuleLock *lock, const ModuleDef *of, const ModuleDef *module, const char *key, int length)
{
	const ModuleField *field = key ? module_field_of(of, module->version, key, length) : NULL;

	for (int i = 0; field && i < lock->field_count; i++)
		if (strcmp(lock->keys[i], field->key) == 0)
			return &lock->field_editors[i];
	return &lock->editors;
}

bool
permission_edits_in(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const char *state,
					const char *key, int length)
{
	const ModuleDef *of;
	const ModuleLock *lock = lock_of(module, state, &of);
	const ModuleRoles *editors = lock ? editors_of(lock, of, module, key, length) : NULL;

	if (editors == NULL || editors->count < 0)
		return true;
	for (int i = 0; i < editors->count; i++)
		if (context->actor_type == ACTOR_SYSTEM && strcmp(editors->names[i], "system") == 0)
			return true;
	return permission_is_one_of(context, of, subject, editors);
}
