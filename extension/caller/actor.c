/*
 * actor.c
 *	  Who did it: {"id","type","displayName"} of an actor's id.
 *
 * The JSON of each actor is cached per backend and dropped when users or keys
 * change.  The zero id is the system.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/watch.h"
#include "caller/context.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct ActorKey
{
	pg_uuid_t	id;
	int32		tenant_id;
} ActorKey;

typedef struct ActorEntry
{
	ActorKey	key;
	int			length;
	char	   *json;
} ActorEntry;

static HTAB *actors = NULL;
static MemoryContext actors_memory = NULL;
static uint64 actors_generation = 0;

static KeptPlan select_actor = {
	"SELECT 'user', display_name FROM qehs.user_account WHERE tenant_id = $1 AND id = $2"
	" UNION ALL SELECT 'apiKey', name FROM qehs.api_key WHERE tenant_id = $1 AND id = $2",
	2, {INT4OID, UUIDOID}, NULL
};

static void
renew_cache(void)
{
	uint64		generation = watch_generation(WATCH_API_KEY);
	HASHCTL		control = {.keysize = sizeof(ActorKey), .entrysize = sizeof(ActorEntry)};

	if (actors && actors_generation == generation && hash_get_num_entries(actors) < 10000)
		return;
	actors = NULL;
	if (actors_memory == NULL)
		actors_memory = AllocSetContextCreate(TopMemoryContext, "qehs actors", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(actors_memory);
	control.hcxt = actors_memory;
	actors = hash_create("qehs actors", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	actors_generation = generation;
}

static bool
is_zero(const pg_uuid_t *id)
{
	static const pg_uuid_t zero = {{0}};

	return memcmp(id, &zero, sizeof(zero)) == 0;
}

/* Build an actor's JSON in out. */
static void
load_actor(StringInfo out, int32 tenant_id, const pg_uuid_t *actor_id)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), UUIDPGetDatum(actor_id)};
	bool		isnull;

	if (is_zero(actor_id))
	{
		json_literal(out, "{\"id\":null,\"type\":\"system\",\"displayName\":\"System\"}");
		return;
	}
	SPI_connect();
	if (plan_execute(&select_actor, values, NULL, true, 1) == 0)
	{
		json_literal(out, "{\"id\":");
		json_id(out, actor_id, QEHS_ID_USER);
		json_literal(out, ",\"type\":\"user\",\"displayName\":null}");
	}
	else
	{
		char	   *type = TextDatumGetCString(plan_value(0, 1, &isnull));

		json_literal(out, "{\"id\":");
		json_id(out, actor_id, strcmp(type, "user") == 0 ? QEHS_ID_USER : QEHS_ID_KEY);
		json_literal(out, ",\"type\":");
		json_string(out, type);
		json_literal(out, ",\"displayName\":");
		json_string(out, TextDatumGetCString(plan_value(0, 2, &isnull)));
		appendStringInfoChar(out, '}');
	}
	SPI_finish();
}

void
context_write_actor(StringInfo out, int32 tenant_id, const pg_uuid_t *actor_id)
{
	ActorKey	key;
	ActorEntry *entry;
	StringInfoData json;

	renew_cache();
	memset(&key, 0, sizeof(key));
	key.id = *actor_id;
	key.tenant_id = tenant_id;
	entry = hash_search(actors, &key, HASH_FIND, NULL);
	if (entry == NULL)
	{
		char	   *copy;

		initStringInfo(&json);
		load_actor(&json, tenant_id, actor_id);
		copy = MemoryContextStrdup(actors_memory, json.data);
		entry = hash_search(actors, &key, HASH_ENTER, NULL);
		entry->json = copy;
		entry->length = json.len;
		pfree(json.data);
	}
	appendBinaryStringInfo(out, entry->json, entry->length);
}
