/*
 * roles.h
 *	  What the files of permission/ share about roles; nobody else looks at roles.
 */
#ifndef QEHS_ROLES_H
#define QEHS_ROLES_H

#include "permission/permission.h"

/* Whether the caller has a role itself. */
extern bool roles_has(const RequestContext *context, const char *role);

/* Whether the record gives the caller a role: "@createdBy" or "@field" of module. Of NULL none, of permission_some_record all. */
extern bool roles_of_record(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const char *role);

/* Whether the caller has one of the roles, of either kind. */
extern bool roles_any(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
					  const char *const *names, int count);

/* Actions of a role with those that they imply: who may read a record may read its events, and count it. */
static inline uint32
roles_implied(uint32 actions)
{
	return actions & ACTION_READ ? actions | ACTION_AUDIT | ACTION_COUNT : actions;
}

/* The current version of a module: it rules over records of every version. */
static inline const ModuleDef *
roles_current(const ModuleDef *module)
{
	return module_lookup_version(module->tenant_id, module->module_id, 0);
}

#endif							/* QEHS_ROLES_H */
