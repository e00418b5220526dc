/*
 * watch.c
 *	  Invalidation messages of the relation cache as generations.
 *
 * Such a message carries the OID of a relation.  The ones sent here carry a
 * number above 2^31 that says table and tenant; no relation has it, and if one
 * had, it would be looked up again once too often and nothing worse.
 *
 * Generations of tenants are counted in a table of fixed size: tenants whose
 * numbers are equal in their last 14 bits share a counter, so that one reads anew
 * what only the other has changed.
 *
 * The callback does no catalog access: it only compares numbers.  That the
 * extension was dropped and made again, in this backend or another, shows by
 * the OID of qehs.tenant, which is looked up again after any change of it.
 */
#include "base/compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/watch.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

PG_FUNCTION_INFO_V1(qehs_table_changed);

#define FIRST_NUMBER 0x80000000u
#define TABLES 8				/* WATCH_COUNT as a power of 2: numbers are tenant * TABLES + table */
#define TENANT_COUNTERS (1 << 14)
#define TENANT_TABLES 3			/* tables that belong to tenants stand first in WatchedTable */

StaticAssertDecl(WATCH_COUNT <= TABLES, "a table has a number");
StaticAssertDecl(WATCH_LOCATION == TENANT_TABLES - 1, "tables of tenants stand first");

static const char *const table_names[WATCH_COUNT] = {
	[WATCH_IDENTITY] = "identity",
	[WATCH_MODULE] = "module",
	[WATCH_LOCATION] = "location",
	[WATCH_ENDPOINT] = "endpoint",
	[WATCH_SECRET] = "secret",
	[WATCH_JSON_SCHEMA] = "json_schema",
};

static uint64 of_all[WATCH_COUNT];
static uint64 of_tenants[TENANT_COUNTERS][TENANT_TABLES];
static uint64 moment = 1;
static Oid	tenant_table = InvalidOid;
static bool tenant_table_known = false;

static void
everything_changed(void)
{
	for (int i = 0; i < WATCH_COUNT; i++)
		of_all[i]++;
	moment++;
}

static void
on_relcache_change(Datum argument, Oid relation)
{
	if (relation == InvalidOid || relation == tenant_table)
		tenant_table_known = false;
	if (relation == InvalidOid)
		everything_changed();
	else if (relation >= FIRST_NUMBER)
	{
		uint32		number = relation - FIRST_NUMBER;
		uint32		tenant_id = number / TABLES;
		uint32		table = number % TABLES;

		if (table >= WATCH_COUNT)
			return;
		if (tenant_id == 0 || table >= TENANT_TABLES)
			of_all[table]++;
		else
			of_tenants[tenant_id % TENANT_COUNTERS][table]++;
		moment++;
	}
}

/* Is it still the extension that the caches were filled from? */
static void
recognise_extension(void)
{
	Oid			found;

	if (tenant_table_known)
		return;
	found = get_relname_relid("tenant", get_namespace_oid("qehs", true));
	if (found != tenant_table)
		everything_changed();
	tenant_table = found;
	tenant_table_known = true;
}

uint64
watch_generation(WatchedTable table, int32 tenant_id)
{
	recognise_extension();
	return of_all[table] + (table < TENANT_TABLES ? of_tenants[(uint32) tenant_id % TENANT_COUNTERS][table] : 0);
}

uint64
watch_moment(void)
{
	recognise_extension();
	return moment;
}

void
watch_announce(WatchedTable table, int32 tenant_id)
{
	/* the last one, which the rows of one command often share: PostgreSQL would compare it with all before */
	static TransactionId last_transaction = InvalidTransactionId;
	static CommandId last_command = InvalidCommandId;
	static Oid	last_number = InvalidOid;
	FormData_pg_class form = {.relisshared = false};
	RelationData relation = {.rd_rel = &form};
	TransactionId transaction = GetCurrentTransactionIdIfAny();
	CommandId	command = GetCurrentCommandId(true);

	relation.rd_id = FIRST_NUMBER + ((uint32) tenant_id * TABLES + table) % FIRST_NUMBER;
	if (relation.rd_id == last_number && command == last_command && transaction == last_transaction &&
		TransactionIdIsValid(transaction))
		return;
	CacheInvalidateRelcache(&relation);
	last_transaction = transaction;
	last_command = command;
	last_number = relation.rd_id;
}

static void
announce_row(WatchedTable table, const TriggerData *trigger, HeapTuple row)
{
	TupleDesc	descriptor = trigger->tg_relation->rd_att;
	bool		isnull;

	watch_announce(table, DatumGetInt32(SPI_getbinval(row, descriptor, SPI_fnumber(descriptor, trigger->tg_trigger->tgargs[1]), &isnull)));
}

/*
 * Trigger table_changed(name [, column]): announce a change of what is cached
 * under the name.  On a row the column holds the tenant; on a statement, or
 * without a column, all is announced.
 */
Datum
qehs_table_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	int			table = 0;

	if (!CALLED_AS_TRIGGER(fcinfo) || trigger->tg_trigger->tgnargs < 1)
		elog(ERROR, "table_changed is a trigger with an argument");
	while (table < WATCH_COUNT && strcmp(trigger->tg_trigger->tgargs[0], table_names[table]) != 0)
		table++;
	if (table == WATCH_COUNT)
		elog(ERROR, "table_changed does not know \"%s\"", trigger->tg_trigger->tgargs[0]);
	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || trigger->tg_trigger->tgnargs < 2)
		watch_announce((WatchedTable) table, 0);
	else
	{
		announce_row((WatchedTable) table, trigger, trigger->tg_trigtuple);
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			announce_row((WatchedTable) table, trigger, trigger->tg_newtuple);
	}
	return PointerGetDatum(NULL);
}

void
watch_init(void)
{
	CacheRegisterRelcacheCallback(on_relcache_change, (Datum) 0);
}
