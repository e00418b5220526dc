/*
 * named.c
 *	  Users and records that a payload names.
 *
 * A bulk load names the same ones in many rows: within a memory context given
 * to record_remember_ids each is looked up once.  What is remembered goes with
 * that context, so it is never older than a chunk.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "plan.h"
#include "record/check.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct NamedKey
{
	int32		tenant_id;
	int32		is_user;
	pg_uuid_t	id;
} NamedKey;

typedef struct Named
{
	NamedKey	key;
	const char *module;			/* of a live record; "" for an active user; NULL: there is none */
} Named;

static KeptPlan select_user = {
	"SELECT ''::text FROM qehs.user_account WHERE tenant_id = $1 AND id = $2 AND active", 2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_record = {
	"SELECT m.key FROM qehs.record AS r JOIN qehs.module AS m ON m.tenant_id = $1 AND m.id = r.module_id"
	" WHERE r.tenant_id = $1 AND r.id = $2 AND r.deleted_at IS NULL", 2, {INT4OID, UUIDOID}, NULL
};

static HTAB *remembered = NULL;
static MemoryContext remembered_memory = NULL;

static void
forget(void *argument)
{
	remembered = NULL;
	remembered_memory = NULL;
}

void
record_remember_ids(MemoryContext memory)
{
	HASHCTL		control = {.keysize = sizeof(NamedKey), .entrysize = sizeof(Named), .hcxt = memory};
	MemoryContextCallback *callback = MemoryContextAllocZero(memory, sizeof(MemoryContextCallback));

	callback->func = forget;
	MemoryContextRegisterResetCallback(memory, callback);
	remembered = hash_create("qehs named ids", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	remembered_memory = memory;
}

static const char *
look_up(const NamedKey *key, MemoryContext memory)
{
	Datum		values[2] = {Int32GetDatum(key->tenant_id), UUIDPGetDatum(&key->id)};
	const char *module = NULL;
	bool		isnull;

	SPI_connect();
	if (plan_execute(key->is_user ? &select_user : &select_record, values, NULL, true, 1) > 0)
		module = MemoryContextStrdup(memory, TextDatumGetCString(plan_value(0, 1, &isnull)));
	SPI_finish();
	return module;
}

/* The entry is made after the look-up, which may fail. */
static const char *
find(const NamedKey *key)
{
	Named	   *named;
	const char *module;

	if (remembered == NULL)
		return look_up(key, CurrentMemoryContext);
	named = hash_search(remembered, key, HASH_FIND, NULL);
	if (named)
		return named->module;
	module = look_up(key, remembered_memory);
	named = hash_search(remembered, key, HASH_ENTER, NULL);
	named->module = module;
	return module;
}

bool
named_user_is_active(int32 tenant_id, const pg_uuid_t *id)
{
	NamedKey	key = {tenant_id, true, *id};

	return find(&key) != NULL;
}

const char *
named_record_module(int32 tenant_id, const pg_uuid_t *id)
{
	NamedKey	key = {tenant_id, false, *id};

	return find(&key);
}
