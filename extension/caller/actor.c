/*
 * actor.c
 *	  Who did it: {"id","type","displayName"} of an actor's id.
 *
 * The JSON of each actor is cached (base/cache.h) until users or keys of the
 * tenant change.  The zero id is the system.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/context.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

typedef struct ActorKey
{
	pg_uuid_t	id;
	int32		tenant_id;
} ActorKey;

static Cache actors = {"actor", sizeof(ActorKey), WATCH_IDENTITY, NULL};

static KeptPlan select_actors = {
	"SELECT id, 'user', display_name FROM qehs.user_account WHERE tenant_id = $1 AND id = ANY ($2)"
	" UNION ALL SELECT id, 'apiKey', name FROM qehs.api_key WHERE tenant_id = $1 AND id = ANY ($2)",
	2, {INT4OID, UUIDARRAYOID}, NULL
};
/* The columns of select_actors. */
enum
{
	COLUMN_ID = 1, COLUMN_TYPE, COLUMN_DISPLAY_NAME
};

static bool
is_zero(const pg_uuid_t *id)
{
	static const pg_uuid_t zero = {{0}};

	return memcmp(id, &zero, sizeof(zero)) == 0;
}

static ActorKey
actor_key(int32 tenant_id, const pg_uuid_t *actor_id)
{
	ActorKey	key;

	memset(&key, 0, sizeof(key));
	key.id = *actor_id;
	key.tenant_id = tenant_id;
	return key;
}

/* The JSON of an actor; name is NULL for one that is not there. */
static void
write_actor(StringInfo out, const pg_uuid_t *actor_id, const char *type, const char *name)
{
	json_literal(out, "{\"id\":");
	json_id(out, actor_id, strcmp(type, "user") == 0 ? QEHS_ID_USER : QEHS_ID_KEY);
	json_literal(out, ",\"type\":");
	json_string(out, type);
	json_literal(out, ",\"displayName\":");
	json_string(out, name);
	appendStringInfoChar(out, '}');
}

/* Read the actors of ids; inside SPI. */
static uint64
select_rows(int32 tenant_id, Datum *ids, int count)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), id_array(ids, count)};

	return plan_execute_latest(&select_actors, values, NULL, 0);
}

static void
write_row(StringInfo out, uint64 row)
{
	bool		isnull;

	write_actor(out, DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull)), TextDatumGetCString(plan_value(row, COLUMN_TYPE, &isnull)),
				TextDatumGetCString(plan_value(row, COLUMN_DISPLAY_NAME, &isnull)));
}

/* Build an actor's JSON in out. */
static void
load_actor(StringInfo out, int32 tenant_id, const pg_uuid_t *actor_id)
{
	Datum		ids[1] = {UUIDPGetDatum(actor_id)};

	if (is_zero(actor_id))
	{
		json_literal(out, "{\"id\":null,\"type\":\"system\",\"displayName\":\"System\"}");
		return;
	}
	SPI_connect();
	if (select_rows(tenant_id, ids, 1) == 0)
		write_actor(out, actor_id, "user", NULL);
	else
		write_row(out, 0);
	SPI_finish();
}

void
context_load_actors(int32 tenant_id, const pg_uuid_t *ids, int count)
{
	Datum	   *unknown = palloc(Max(count, 1) * sizeof(Datum));
	uint64		moment = watch_moment();
	uint64		rows;
	int			unknown_count = 0;
	bool		isnull;

	for (int i = 0; i < count; i++)
	{
		ActorKey	key = actor_key(tenant_id, &ids[i]);

		if (!is_zero(&ids[i]) && cache_find(&actors, &key) == NULL)
			unknown[unknown_count++] = UUIDPGetDatum(&ids[i]);
	}
	if (unknown_count == 0)
		return;
	SPI_connect();
	rows = select_rows(tenant_id, unknown, unknown_count);
	for (uint64 row = 0; row < rows; row++)
	{
		ActorKey	key = actor_key(tenant_id, DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull)));
		StringInfoData json;

		initStringInfo(&json);
		write_row(&json, row);
		cache_keep_bytes(&actors, moment, &key, tenant_id, json.data, json.len + 1);
	}
	SPI_finish();
}

void
context_write_actor(StringInfo out, int32 tenant_id, const pg_uuid_t *actor_id)
{
	ActorKey	key = actor_key(tenant_id, actor_id);
	const char *known;
	uint64		moment;
	StringInfoData json;

	known = cache_find(&actors, &key);
	if (known)
	{
		appendStringInfoString(out, known);
		return;
	}
	moment = watch_moment();
	initStringInfo(&json);
	load_actor(&json, tenant_id, actor_id);
	appendBinaryStringInfo(out, json.data, json.len);
	cache_keep_bytes(&actors, moment, &key, tenant_id, json.data, json.len + 1);
	pfree(json.data);
}
