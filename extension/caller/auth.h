/*
 * auth.h
 *	  API keys and the people behind them.
 */
#ifndef QEHS_AUTH_H
#define QEHS_AUTH_H

#include "caller/context.h"
#include "caller/keytext.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Requests a minute unless qehs.rate_limit or the key says otherwise. */
#define QEHS_RATE_LIMIT 300
#define QEHS_SIGNED_URL_LIMIT 50
/* At once in a tenant. */
#define QEHS_BULK_LIMIT 10
#define QEHS_EXPORT_LIMIT 5

/* What a valid key grants; cached until keys, users, roles or limits of the tenant change: good until the transaction ends. */
typedef struct KeyGrant
{
	uint8		hash[32];		/* SHA-256 of the key: the cache's key */
	KeyKind		kind;
	int32		tenant_id;
	const char *tenant_slug;
	pg_uuid_t	key_id;
	ActorType	actor_type;
	pg_uuid_t	actor_id;
	const char *actor_name;
	uint32		scopes;
	int			role_count;
	const char **roles;
	int			module_count;
	const char **modules;
	int32		rate_limit;		/* requests a minute; 0: none */
	int32		signed_url_limit;	/* the same, for signed URLs */
	int32		tenant_limit;	/* the same, of all keys of the tenant together */
	ArrayType  *allowed_addresses;	/* cidr[], or NULL */
	TimestampTz use_noted;		/* when last_used_at was written last by this backend */
	TimestampTz expires_at;		/* DT_NOEND: never */
} KeyGrant;

/* The grant of a key; NULL for one that is malformed, unknown, revoked or expired. */
extern KeyGrant *auth_find_key(const char *key, int length);

/*
 * The grant of a person whom the shim has verified by a token: {"tenant","user",
 * "roles"?}; NULL when there is no such active user.  Only with
 * qehs.bearer_tokens on.
 */
extern KeyGrant *auth_find_subject(Jsonb *subject);

/* Raise QH403 unless the key may be used from the address (NULL: not over HTTP). */
extern void auth_check_address(const KeyGrant *grant, const char *address);

/* Note in the table that the key is in use: at most once a minute and backend. */
extern void auth_note_use(KeyGrant *grant);

/* Define the settings of this file; once, at load. */
extern void auth_init(void);

/* Text of a scope and back (0 when unknown). */
extern const char *scope_name(Scope scope);
extern uint32 scope_parse(const char *name);

/* SQL of the names of a user's roles, as text[]: tenant and user are expressions. */
#define AUTH_ROLES_OF_USER(tenant, user) "ARRAY(SELECT r.name FROM (" \
	"SELECT m.role_id FROM qehs.role_member AS m WHERE m.tenant_id = " tenant " AND m.user_id = " user \
	" UNION SELECT g.role_id FROM qehs.role_member AS m JOIN qehs.scim_group_role AS g" \
	" ON g.tenant_id = " tenant " AND g.group_id = m.role_id WHERE m.tenant_id = " tenant " AND m.user_id = " user \
	") AS has JOIN qehs.role AS r ON r.tenant_id = " tenant " AND r.id = has.role_id ORDER BY r.name)"

/* Names of a text[] (no NULLs), allocated in the current context. */
extern const char **auth_names(Datum array, int *count);

#endif							/* QEHS_AUTH_H */
