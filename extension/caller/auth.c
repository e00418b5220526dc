/*
 * auth.c
 *	  Verifying API keys.
 *
 * A key's prefix (keytext.c) finds the row; the SHA-256 of the whole is then
 * compared in constant time.
 *
 * Verified keys are cached by their SHA-256 (base/cache.h) until keys, users,
 * roles or limits of their tenant change.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "base/cache.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/seal.h"
#include "base/sha256.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#define USE_INTERVAL (60 * USECS_PER_SEC)

static Cache grants = {"API key", PG_SHA256_DIGEST_LENGTH, WATCH_IDENTITY, NULL};
static bool bearer_tokens = false;

/* The columns of select_key and of select_subject, in their order. */
enum
{
	COLUMN_KEY_HASH = 1, COLUMN_KEY_ID, COLUMN_KEY_SCOPES, COLUMN_KEY_ROLES, COLUMN_KEY_MODULES, COLUMN_KEY_USER_ID,
	COLUMN_KEY_RATE_LIMIT, COLUMN_KEY_EXPIRES_AT, COLUMN_KEY_NAME, COLUMN_KEY_TENANT_SLUG, COLUMN_KEY_USER_NAME, COLUMN_KEY_USER_ROLES,
	COLUMN_KEY_SIGNED_URL_LIMIT, COLUMN_KEY_ALLOWED_ADDRESSES, COLUMN_KEY_TENANT_LIMIT
};
enum
{
	COLUMN_SUBJECT_TENANT_ID = 1, COLUMN_SUBJECT_TENANT_SLUG, COLUMN_SUBJECT_USER_ID, COLUMN_SUBJECT_USER_NAME, COLUMN_SUBJECT_ROLES,
	COLUMN_SUBJECT_RATE_LIMIT, COLUMN_SUBJECT_SIGNED_URL_LIMIT, COLUMN_SUBJECT_TENANT_LIMIT
};

static KeptPlan select_key = {
	"SELECT k.hash, k.id, k.scopes, k.roles, k.modules, k.user_id,"
	" COALESCE((SELECT l.quantity FROM qehs.rate_limit AS l WHERE l.tenant_id = $1 AND l.class = 'default'"
	" AND l.key_id = k.id), k.rate_limit, (SELECT l.quantity FROM qehs.rate_limit AS l WHERE l.tenant_id = $1"
	" AND l.class = 'default' AND l.key_id = '00000000-0000-0000-0000-000000000000')), k.expires_at, k.name, t.slug,"
	" u.display_name,"
	" " AUTH_ROLES_OF_USER("$1", "k.user_id") ","
	" (SELECT l.quantity FROM qehs.rate_limit AS l WHERE l.tenant_id = $1 AND l.class = 'signed-urls' AND"
	" l.key_id IN (k.id, '00000000-0000-0000-0000-000000000000') ORDER BY l.key_id DESC LIMIT 1),"
	" k.allowed_addresses, (SELECT l.quantity FROM qehs.rate_limit AS l WHERE l.tenant_id = $1 AND l.class = 'tenant')"
	" FROM qehs.api_key AS k JOIN qehs.tenant AS t ON t.id = k.tenant_id"
	" LEFT JOIN qehs.user_account AS u ON u.tenant_id = $1 AND u.id = k.user_id"
	" WHERE k.tenant_id = $1 AND k.prefix = $2 AND k.revoked_at IS NULL AND t.suspended_at IS NULL"
	" AND (k.user_id IS NULL OR u.active)",
	2, {INT4OID, TEXTOID}, NULL
};

/* Roles of the token count as far as the tenant has them; without any, those of the user. */
static KeptPlan select_subject = {
	"SELECT t.id, t.slug, u.id, u.display_name,"
	" CASE WHEN $1 ? 'roles' THEN ARRAY(SELECT r.name FROM qehs.role AS r WHERE r.tenant_id = t.id AND $1 -> 'roles' ? r.name)"
	" ELSE " AUTH_ROLES_OF_USER("t.id", "u.id") " END,"
	" limits.by_class ->> 'default', limits.by_class ->> 'signed-urls', limits.by_class ->> 'tenant'"
	" FROM qehs.tenant AS t JOIN qehs.user_account AS u ON u.tenant_id = t.id CROSS JOIN LATERAL (SELECT"
	" pg_catalog.jsonb_object_agg(l.class, l.quantity) AS by_class FROM qehs.rate_limit AS l WHERE l.tenant_id = t.id"
	" AND l.key_id = '00000000-0000-0000-0000-000000000000') AS limits"
	" WHERE t.slug = $1 ->> 'tenant' AND pg_catalog.lower(u.user_name) = pg_catalog.lower($1 ->> 'user') AND u.active AND u.deleted_at IS NULL"
	" AND t.suspended_at IS NULL",
	1, {JSONBOID}, NULL
};

/* Another backend that is writing the same is not waited for. */
static KeptPlan note_use = {
	"UPDATE qehs.api_key SET last_used_at = $3 WHERE tenant_id = $1 AND id = (SELECT k.id"
	" FROM qehs.api_key AS k WHERE k.tenant_id = $1 AND k.id = $2 AND (k.last_used_at IS NULL OR"
	" k.last_used_at < $3 - interval '1 minute') FOR NO KEY UPDATE SKIP LOCKED)",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};

void
auth_init(void)
{
	DefineCustomBoolVariable("qehs.bearer_tokens",
							 "Believes the shim who sent a JSON Web Token that it has verified.",
							 "Whoever may log in as qehs_shim can then act as any user.",
							 &bearer_tokens, false, PGC_SIGHUP, 0, NULL, NULL, NULL);
}

const char **
auth_names(Datum array, int *count)
{
	Datum	   *items;
	const char **names;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &items, NULL, count);
	names = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		names[i] = TextDatumGetCString(items[i]);
	return names;
}

/* Copy the row of SPI_tuptable into a grant; memory is the current context. */
static void
read_grant(KeyGrant *grant)
{
	bool		isnull;
	Datum		user_id;
	Datum		value;

	grant->key_id = *DatumGetUUIDP(plan_value(0, COLUMN_KEY_ID, &isnull));
	grant->scopes = 0;
	{
		int			count;
		const char **names = auth_names(plan_value(0, COLUMN_KEY_SCOPES, &isnull), &count);

		for (int i = 0; i < count; i++)
			grant->scopes |= scope_parse(names[i]);
	}
	grant->roles = auth_names(plan_value(0, COLUMN_KEY_ROLES, &isnull), &grant->role_count);
	value = plan_value(0, COLUMN_KEY_MODULES, &isnull);
	grant->module_count = -1;
	if (!isnull)
		grant->modules = auth_names(value, &grant->module_count);
	user_id = plan_value(0, COLUMN_KEY_USER_ID, &isnull);
	grant->actor_type = isnull ? ACTOR_API_KEY : ACTOR_USER;
	grant->actor_id = isnull ? grant->key_id : *DatumGetUUIDP(user_id);
	grant->actor_name = TextDatumGetCString(plan_value(0, isnull ? COLUMN_KEY_NAME : COLUMN_KEY_USER_NAME, &isnull));
	/* a key that names no roles has those of its user */
	if (grant->actor_type == ACTOR_USER && grant->role_count == 0)
		grant->roles = auth_names(plan_value(0, COLUMN_KEY_USER_ROLES, &isnull), &grant->role_count);
	value = plan_value(0, COLUMN_KEY_RATE_LIMIT, &isnull);
	grant->rate_limit = isnull ? QEHS_RATE_LIMIT : DatumGetInt32(value);
	value = plan_value(0, COLUMN_KEY_EXPIRES_AT, &isnull);
	grant->expires_at = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	grant->tenant_slug = TextDatumGetCString(plan_value(0, COLUMN_KEY_TENANT_SLUG, &isnull));
	value = plan_value(0, COLUMN_KEY_SIGNED_URL_LIMIT, &isnull);
	grant->signed_url_limit = isnull ? QEHS_SIGNED_URL_LIMIT : DatumGetInt32(value);
	value = plan_value(0, COLUMN_KEY_ALLOWED_ADDRESSES, &isnull);
	grant->allowed_addresses = isnull ? NULL : DatumGetArrayTypePCopy(value);
	value = plan_value(0, COLUMN_KEY_TENANT_LIMIT, &isnull);
	grant->tenant_limit = isnull ? 0 : DatumGetInt32(value);
}

/* A grant in the memory of a cache's new entry, empty but for the hash. */
static KeyGrant *
begin_grant(const CacheFill *fill, const uint8 *hash)
{
	KeyGrant   *grant = MemoryContextAllocZero(fill->memory, sizeof(KeyGrant));

	memcpy(grant->hash, hash, sizeof(grant->hash));
	return grant;
}

/* Look the key up in the table; NULL when there is none. */
static KeyGrant *
load_grant(const char *key, const KeyText *text, const uint8 *hash)
{
	Datum		values[2] = {Int32GetDatum(text->tenant_id), PointerGetDatum(cstring_to_text_with_len(key, text->prefix_length))};
	KeyGrant   *grant = NULL;
	CacheFill	fill;
	bool		isnull;

	SPI_connect();
	fill = cache_begin();
	if (plan_execute_latest(&select_key, values, NULL, 1) == 1)
	{
		bytea	   *stored = DatumGetByteaPP(plan_value(0, COLUMN_KEY_HASH, &isnull));

		if (seal_same_bytes(VARDATA_ANY(stored), hash, 32))
		{
			MemoryContext previous = MemoryContextSwitchTo(fill.memory);

			grant = begin_grant(&fill, hash);
			grant->kind = text->kind;
			grant->tenant_id = text->tenant_id;
			read_grant(grant);
			MemoryContextSwitchTo(previous);
			cache_keep(&grants, &fill, hash, grant->tenant_id, grant, 0);
		}
	}
	SPI_finish();
	return grant;
}

/* A limit of the row of select_subject, as text, or what stands for none. */
static int32
read_limit(int column, int32 otherwise)
{
	bool		isnull;
	Datum		value = plan_value(0, column, &isnull);

	return isnull ? otherwise : pg_strtoint32(TextDatumGetCString(value));
}

/* The row of select_subject as a grant; memory is the current context. */
static void
read_subject(KeyGrant *grant)
{
	bool		isnull;

	grant->tenant_id = DatumGetInt32(plan_value(0, COLUMN_SUBJECT_TENANT_ID, &isnull));
	grant->tenant_slug = TextDatumGetCString(plan_value(0, COLUMN_SUBJECT_TENANT_SLUG, &isnull));
	grant->actor_type = ACTOR_USER;
	grant->actor_id = *DatumGetUUIDP(plan_value(0, COLUMN_SUBJECT_USER_ID, &isnull));
	grant->key_id = grant->actor_id;
	grant->actor_name = TextDatumGetCString(plan_value(0, COLUMN_SUBJECT_USER_NAME, &isnull));
	grant->roles = auth_names(plan_value(0, COLUMN_SUBJECT_ROLES, &isnull), &grant->role_count);
	grant->scopes = SCOPE_ALL;	/* a token names none: roles cut them (permission_token_scopes) */
	grant->module_count = -1;
	grant->rate_limit = read_limit(COLUMN_SUBJECT_RATE_LIMIT, QEHS_RATE_LIMIT);
	grant->signed_url_limit = read_limit(COLUMN_SUBJECT_SIGNED_URL_LIMIT, QEHS_SIGNED_URL_LIMIT);
	grant->tenant_limit = read_limit(COLUMN_SUBJECT_TENANT_LIMIT, 0);
	grant->expires_at = DT_NOEND;
	grant->use_noted = DT_NOEND;
}

static KeyGrant *
load_subject(Jsonb *subject, const uint8 *hash)
{
	Datum		values[1] = {JsonbPGetDatum(subject)};
	KeyGrant   *grant = NULL;
	CacheFill	fill;

	SPI_connect();
	fill = cache_begin();
	if (plan_execute_latest(&select_subject, values, NULL, 1) == 1)
	{
		MemoryContext previous = MemoryContextSwitchTo(fill.memory);

		grant = begin_grant(&fill, hash);
		read_subject(grant);
		MemoryContextSwitchTo(previous);
		cache_keep(&grants, &fill, hash, grant->tenant_id, grant, 0);
	}
	SPI_finish();
	return grant;
}

KeyGrant *
auth_find_key(const char *key, int length)
{
	KeyText		text;
	uint8		hash[32];
	KeyGrant   *grant;

	if (!keytext_read(key, length, &text))
		return NULL;
	sha256_bytes(key, length, hash);
	grant = cache_find(&grants, hash);
	if (grant == NULL)
		grant = load_grant(key, &text, hash);
	return grant && grant->expires_at > clock_now() ? grant : NULL;
}

KeyGrant *
auth_find_subject(Jsonb *subject)
{
	uint8		hash[32];
	KeyGrant   *grant;

	if (!bearer_tokens)
		return NULL;
	sha256_bytes(subject, VARSIZE(subject), hash);
	grant = cache_find(&grants, hash);
	return grant ? grant : load_subject(subject, hash);
}

void
auth_check_address(const KeyGrant *grant, const char *address)
{
	ArrayIterator iterator;
	Datum		network;
	Datum		client;
	bool		isnull;

	if (grant->allowed_addresses == NULL || address == NULL)
		return;
	client = DirectFunctionCall1(inet_in, CStringGetDatum(address));
	iterator = array_create_iterator(grant->allowed_addresses, 0, NULL);
	while (array_iterate(iterator, &network, &isnull))
		if (!isnull && DatumGetBool(DirectFunctionCall2(network_subeq, client, network)))
			return;
	problem_raise(PROBLEM_FORBIDDEN, "Use it from one of its allowed addresses.",
				  "the API key may not be used from this address");
}

void
auth_note_use(KeyGrant *grant)
{
	TimestampTz now = clock_transaction();
	Datum		values[3] = {Int32GetDatum(grant->tenant_id), UUIDPGetDatum(&grant->key_id), TimestampTzGetDatum(now)};

	if (grant->use_noted == DT_NOEND || now - grant->use_noted < USE_INTERVAL || XactReadOnly || RecoveryInProgress())
		return;
	grant->use_noted = now;
	SPI_connect();
	plan_execute(&note_use, values, NULL, false, 0);
	SPI_finish();
}
