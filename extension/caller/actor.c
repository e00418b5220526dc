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
#include "utils/builtins.h"

typedef struct ActorKey
{
	pg_uuid_t	id;
	int32		tenant_id;
} ActorKey;

static Cache actors = {"actor", sizeof(ActorKey), WATCH_IDENTITY, NULL};

static KeptPlan select_actor = {
	"SELECT 'user', display_name FROM qehs.user_account WHERE tenant_id = $1 AND id = $2"
	" UNION ALL SELECT 'apiKey', name FROM qehs.api_key WHERE tenant_id = $1 AND id = $2",
	2, {INT4OID, UUIDOID}, NULL
};

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
	if (plan_execute_latest(&select_actor, values, NULL, 1) == 0)
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
	const char *known;
	uint64		moment;
	StringInfoData json;

	memset(&key, 0, sizeof(key));
	key.id = *actor_id;
	key.tenant_id = tenant_id;
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
