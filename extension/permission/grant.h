/*
 * grant.h
 *	  What a caller may hand on in an API key: nothing that it lacks itself.
 */
#ifndef QEHS_GRANT_H
#define QEHS_GRANT_H

#include "caller/auth.h"
#include "permission/permission.h"

/* What an API key is to have, or has. */
typedef struct PermissionGrant
{
	KeyKind		kind;
	int			scope_count;
	const char **scopes;
	int			role_count;
	const char **roles;
	int			module_count;	/* -1: all modules */
	const char **modules;
	bool		acts_as_user;
	pg_uuid_t	user_id;		/* of whom it acts as */
	int			user_role_count;
	const char **user_roles;	/* which the key has when it names no roles */
	TimestampTz expires_at;		/* DT_NOEND: never */
	int32		rate_limit;		/* requests a minute; 0: none */
	ArrayType  *allowed_addresses;	/* cidr[], or NULL: all */
} PermissionGrant;

/*
 * Add a violation (paths of the body of api_key_create) for each respect in which the grant
 * goes beyond what the caller has: scopes, roles, modules, user, end, rate limit, addresses.  In a
 * session, which has no key, only the first four bound it.
 */
extern void permission_check_grant(const RequestContext *context, const PermissionGrant *wanted, ViolationList *violations);

/* What an API key has that is not revoked, in the current memory context; false when there is none.  Runs SPI by itself. */
extern bool permission_find_grant(int32 tenant_id, const pg_uuid_t *key_id, PermissionGrant *held);

/* Whether the caller reaches all modules that the grant names: what must hold to take an API key away. */
extern bool permission_reaches_modules(const RequestContext *context, const PermissionGrant *held);

#endif							/* QEHS_GRANT_H */
