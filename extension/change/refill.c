/*
 * refill.c
 *	  Filling the slots and search text of existing records after a module's slot
 *	  map or its searchable fields changed, and their unique values after its
 *	  unique fields did.
 *
 * No version and no event: what the records say stays the same.  Rows go in batches
 * in the order of their ids, each in memory of its own.  Slots are filled a batch a
 * call, beside writers, who hold the slots of the module as the caller does
 * (module_hold_slots); unique values at once, with writers kept out
 * (module_lock_slots).
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* module_id + 0: by the primary key, in its order; without statistics another index and a sort of all rows looks as cheap */
static KeptPlan select_payloads = {
	"SELECT id, payload, definition_version, display_no FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2 AND deleted_at IS NULL AND id > $3"
	" ORDER BY id LIMIT $4 FOR NO KEY UPDATE",
	4, {INT4OID, INT4OID, UUIDOID, INT4OID}, NULL
};

#define BATCH 1000

typedef void (*RefillBatch) (const ModuleDef *module, const RefillRow *rows, int count);

/* Take the values of each row as far as no other record has them. */
static void
keep_values(const ModuleDef *module, const RefillRow *rows, int count)
{
	UniqueSet	set = {.module = module};

	for (int i = 0; i < count; i++)
		unique_add_payload(&set, i, &rows[i].id, rows[i].payload, NULL);
	unique_take(&set);
}

/* Do something with the live records behind last, at most size of them; moves last and gives how many there were. */
static int
run_batch(const ModuleDef *module, RefillBatch batch, int32 size, pg_uuid_t *last)
{
	Datum		arguments[4] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), UUIDPGetDatum(last), Int32GetDatum(size)};
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs refill", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(memory);
	int			count = plan_execute(&select_payloads, arguments, NULL, false, 0);
	SPITupleTable *found = SPI_tuptable;
	RefillRow  *rows = palloc(sizeof(RefillRow) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		bool		isnull;

		rows[i].id = *DatumGetUUIDP(plan_value(i, 1, &isnull));
		rows[i].display_no = DatumGetInt64(plan_value(i, 4, &isnull));
		rows[i].payload = module_payload_current(module, DatumGetJsonbP(plan_value(i, 2, &isnull)), DatumGetInt32(plan_value(i, 3, &isnull)));
	}
	if (count > 0)
	{
		batch(module, rows, count);
		*last = rows[count - 1].id;
	}
	SPI_freetuptable(found);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(memory);
	return count;
}

int
change_refill_slots(const ModuleDef *module, int32 size, pg_uuid_t *last)
{
	return run_batch(module, change_refill_rows, size, last);
}

void
change_refill_unique(int32 tenant_id, int32 module_id)
{
	const ModuleDef *module = module_lookup_version(tenant_id, module_id, 0);
	pg_uuid_t	last = {{0}};

	unique_clear(module);
	while (module->has_unique && run_batch(module, keep_values, BATCH, &last) > 0)
		CHECK_FOR_INTERRUPTS();
}
