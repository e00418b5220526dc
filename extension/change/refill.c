/*
 * refill.c
 *	  Filling the slots and search text of existing records after a module's slot
 *	  map or its searchable fields changed, and their unique values when its unique
 *	  fields do.
 *
 * No version and no event: what the records say stays the same.  Rows go in batches
 * in the order of their ids, each in memory of its own.  Slots are filled a batch a
 * call, beside writers, who hold the slots of the module as the caller does
 * (module_hold_slots).
 *
 * Unique values have to be there when the new version counts, so they are taken in
 * the transaction that publishes it, but beside writers: these take values by the
 * version before, which has no such fields.  A lap waits for the writers under way
 * and lets go again; what is written from then on has an event that is younger, so
 * the next lap finds it, and the last one, with writers kept out
 * (module_lock_slots), is short.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "miscadmin.h"
#include "module/publish.h"
#include "record/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define BATCH 1000
#define MAX_LAPS 5
/* A lap of so few records is short enough to be the last. */
#define FEW 2000
/* By so much the clock of the server may have been set back between two events. */
#define CLOCK_STEP (1 * USECS_PER_SEC)

/* module_id + 0: by the primary key, in its order; without statistics another index and a sort of all rows looks as cheap */
#define LIVE_RECORDS "SELECT id, id, payload, definition_version, display_no FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2" \
	" AND deleted_at IS NULL AND id > $3 ORDER BY id LIMIT $4"

/* Statements of a batch: where it is, the record, and its payload and definition, NULL when it is no more. */
static KeptPlan lock_records = {LIVE_RECORDS " FOR NO KEY UPDATE", 4, {INT4OID, INT4OID, UUIDOID, INT4OID}, NULL};
static KeptPlan select_records = {LIVE_RECORDS, 4, {INT4OID, INT4OID, UUIDOID, INT4OID}, NULL};
static KeptPlan select_changed = {
	"SELECT e.id, e.record_id, r.payload, r.definition_version, r.display_no FROM (SELECT tenant_id, id, record_id FROM qehs.audit_event"
	" WHERE tenant_id = $1 AND module_id + 0 = $2 AND id > $3 ORDER BY id LIMIT $4) AS e"
	" LEFT JOIN qehs.record AS r ON r.tenant_id = e.tenant_id AND r.id = e.record_id AND r.deleted_at IS NULL ORDER BY e.id",
	4, {INT4OID, INT4OID, UUIDOID, INT4OID}, NULL
};
/* The columns of these statements. */
enum
{
	COLUMN_POSITION = 1, COLUMN_RECORD_ID, COLUMN_PAYLOAD, COLUMN_DEFINITION_VERSION, COLUMN_DISPLAY_NO
};

typedef void (*RefillBatch) (const ModuleDef *module, const RefillRow *rows, int count, const List *keys);

static void
fill_slots(const ModuleDef *module, const RefillRow *rows, int count, const List *keys)
{
	change_refill_rows(module, rows, count);
}

static bool
is_among(const char *key, const List *keys)
{
	ListCell   *cell;

	foreach(cell, keys)
		if (strcmp(lfirst(cell), key) == 0)
			return true;
	return false;
}

/* Take the values of each row in the fields as far as no other record has them. */
static void
keep_values(const ModuleDef *module, const RefillRow *rows, int count, const List *keys)
{
	UniqueSet	set = {.module = module};

	for (int i = 0; i < module->unique_count; i++)
	{
		const ModuleUnique *unique = &module->uniques[i];

		for (int j = 0; j < count && is_among(unique->name, keys); j++)
		{
			char	   *text = value_unique(unique, rows[j].payload);

			if (text)
				unique_add(&set, j, &rows[j].id, unique, text);
		}
	}
	unique_take(&set);
}

/* As keep_values, of rows that may have had others. */
static void
renew_values(const ModuleDef *module, const RefillRow *rows, int count, const List *keys)
{
	unique_forget(module, rows, count, keys);
	keep_values(module, rows, count, keys);
}

/* Do something with the rows of a statement behind last, at most size of them; moves last and gives how many there were. */
static int
run_batch(const ModuleDef *module, KeptPlan *statement, RefillBatch batch, const List *keys, int32 size, pg_uuid_t *last)
{
	Datum		arguments[4] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), UUIDPGetDatum(last), Int32GetDatum(size)};
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs refill", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(memory);
	int			count = plan_execute(statement, arguments, NULL, false, 0);
	SPITupleTable *found = SPI_tuptable;
	RefillRow  *rows = palloc(sizeof(RefillRow) * Max(count, 1));
	pg_uuid_t	end = *last;

	for (int i = 0; i < count; i++)
	{
		bool		isnull;
		Datum		payload = plan_value(i, COLUMN_PAYLOAD, &isnull);

		end = *DatumGetUUIDP(plan_value(i, COLUMN_POSITION, &isnull));
		rows[i].id = *DatumGetUUIDP(plan_value(i, COLUMN_RECORD_ID, &isnull));
		rows[i].display_no = DatumGetInt64(plan_value(i, COLUMN_DISPLAY_NO, &isnull));
		rows[i].payload = NULL;
		if (payload)
			rows[i].payload = module_payload_current(module, DatumGetJsonbP(payload), DatumGetInt32(plan_value(i, COLUMN_DEFINITION_VERSION, &isnull)));
	}
	if (count > 0)
		batch(module, rows, count, keys);
	*last = end;
	SPI_freetuptable(found);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(memory);
	return count;
}

int
change_refill_slots(const ModuleDef *module, int32 size, pg_uuid_t *last)
{
	return run_batch(module, &lock_records, fill_slots, NIL, size, last);
}

/* Take the values of all live records in the fields. */
static void
take_all(const UniqueRefill *refill, const List *keys)
{
	const ModuleDef *module = module_lookup_version(refill->tenant_id, refill->module_id, 0);
	pg_uuid_t	last = {{0}};

	while (keys && run_batch(module, &select_records, keep_values, keys, BATCH, &last) > 0)
		CHECK_FOR_INTERRUPTS();
}

/* Take the values of the records that were changed since the lap before; gives how many changes there were. */
static int64
take_changed(const UniqueRefill *refill)
{
	const ModuleDef *module = module_lookup_version(refill->tenant_id, refill->module_id, 0);
	pg_uuid_t	last;
	int64		all = 0;
	int			count;

	id_of_time(refill->since - CLOCK_STEP, false, &last);
	while ((count = run_batch(module, &select_changed, renew_values, refill->fresh, BATCH, &last)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		all += count;
	}
	return all;
}

/* Wait until all changes before a time are committed; gives the time. */
static TimestampTz
begin_lap(const UniqueRefill *refill)
{
	TimestampTz now;

	module_lock_slots(refill->tenant_id, refill->module_id);
	now = GetCurrentTimestamp();
	module_unlock_slots(refill->tenant_id, refill->module_id);
	return now;
}

void
change_take_unique_beside(UniqueRefill *refill)
{
	int64		changes = FEW;

	if (refill->fresh == NIL)
		return;
	refill->since = begin_lap(refill);
	take_all(refill, refill->fresh);
	for (int lap = 0; lap < MAX_LAPS && changes >= FEW; lap++)
	{
		TimestampTz now = begin_lap(refill);

		changes = take_changed(refill);
		refill->since = now;
	}
}

void
change_take_unique(const UniqueRefill *refill)
{
	if (refill->fresh)
		take_changed(refill);
	unique_clear(refill->tenant_id, refill->module_id, list_concat_copy(refill->gone, refill->again));
	take_all(refill, refill->again);
}
