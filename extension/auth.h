/*
 * auth.h
 *	  API keys and the people behind them.
 */
#ifndef QEHS_AUTH_H
#define QEHS_AUTH_H

#include "context.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* What a valid key grants; cached per backend until keys or users change. */
typedef struct KeyGrant
{
	uint8		hash[32];		/* SHA-256 of the key: the cache's key */
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

extern void auth_init(void);

/* Text of a scope and back (0 when unknown). */
extern const char *scope_name(Scope scope);
extern uint32 scope_parse(const char *name);

/* SHA-256 of bytes (FIPS 180-4). */
extern void auth_sha256(const void *data, int length, uint8 digest[32]);

/* A new key's text into buffer (QEHS_KEY_LENGTH + 1); its prefix is the first QEHS_KEY_PREFIX bytes. */
#define QEHS_KEY_SCHEME "qehs_live_sk_"
#define QEHS_KEY_SCHEME_LENGTH 13
#define QEHS_KEY_TENANT 7		/* base32 digits of the tenant's number */
#define QEHS_KEY_RANDOM 52		/* base32 digits of 256 random bits */
#define QEHS_KEY_CHECK 7		/* base32 digits of the CRC-32C of what stands before */
#define QEHS_KEY_LENGTH (QEHS_KEY_SCHEME_LENGTH + QEHS_KEY_TENANT + QEHS_KEY_RANDOM + QEHS_KEY_CHECK)
#define QEHS_KEY_PREFIX (QEHS_KEY_SCHEME_LENGTH + QEHS_KEY_TENANT + 8)
extern void auth_new_key(int32 tenant_id, char *buffer);

/* Names of a text[] (no NULLs), allocated in the current context. */
extern const char **auth_names(Datum array, int *count);

#endif							/* QEHS_AUTH_H */
