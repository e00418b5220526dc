/*
 * watch.c
 *	  Relcache callbacks as generations.
 *
 * The callback does no catalog access: it only compares OIDs.  An OID is looked
 * up at the first use after any change of it, so that DROP and CREATE EXTENSION
 * in one backend work.
 */
#include "base/compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/watch.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

PG_FUNCTION_INFO_V1(qehs_table_changed);

typedef struct Watched
{
	const char *name;
	Oid			relation;
	uint64		generation;
} Watched;

static Watched watched[WATCH_COUNT] = {
	[WATCH_API_KEY] = {"api_key", InvalidOid, 1},
	[WATCH_ENDPOINT] = {"endpoint", InvalidOid, 1},
	[WATCH_SECRET] = {"secret", InvalidOid, 1},
	[WATCH_MODULE] = {"module", InvalidOid, 1},
	[WATCH_JSON_SCHEMA] = {"json_schema", InvalidOid, 1},
};

static void
on_relcache_change(Datum argument, Oid relation)
{
	for (int i = 0; i < WATCH_COUNT; i++)
	{
		if (relation == InvalidOid || watched[i].relation == relation)
		{
			watched[i].generation++;
			watched[i].relation = InvalidOid;
		}
	}
}

static Oid
resolve(Watched *table)
{
	if (table->relation == InvalidOid)
		table->relation = get_relname_relid(table->name, get_namespace_oid("qehs", false));
	return table->relation;
}

uint64
watch_generation(WatchedTable table)
{
	resolve(&watched[table]);
	return watched[table].generation;
}

/*
 * The command counter moves on, so that this session too reads the table anew
 * from here, and once more if the transaction rolls back.
 */
void
watch_announce(WatchedTable table)
{
	CacheInvalidateRelcacheByRelid(resolve(&watched[table]));
	(void) GetCurrentCommandId(true);
	CommandCounterIncrement();
}

/* Trigger table_changed(name): announce what is cached of the table, or with it. */
Datum
qehs_table_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || trigger->tg_trigger->tgnargs != 1)
		elog(ERROR, "table_changed is a trigger of one argument");
	for (int i = 0; i < WATCH_COUNT; i++)
		if (strcmp(trigger->tg_trigger->tgargs[0], watched[i].name) == 0)
			watch_announce((WatchedTable) i);
	return PointerGetDatum(NULL);
}

void
watch_init(void)
{
	CacheRegisterRelcacheCallback(on_relcache_change, (Datum) 0);
}
