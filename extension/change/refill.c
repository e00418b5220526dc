/*
 * refill.c
 *	  Filling the slots and search text of existing records after a module's slot
 *	  map or its searchable fields changed, and their unique values after its
 *	  unique fields did.
 *
 * No version and no event: what the records say stays the same.  Rows go in batches
 * in the order of their ids, each in memory of its own; the caller keeps writers out
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
	"SELECT id, payload, definition_version FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2 AND deleted_at IS NULL AND id > $3"
	" ORDER BY id LIMIT 1000 FOR NO KEY UPDATE",
	3, {INT4OID, INT4OID, UUIDOID}, NULL
};

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

/* Do something with all live records of a module, batch by batch. */
static void
for_each_batch(const ModuleDef *module, RefillBatch batch)
{
	pg_uuid_t	last = {{0}};
	uint64		count;

	do
	{
		Datum		arguments[3] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), UUIDPGetDatum(&last)};
		MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs refill", ALLOCSET_DEFAULT_SIZES);
		MemoryContext previous = MemoryContextSwitchTo(memory);
		RefillRow  *rows;
		SPITupleTable *found;

		CHECK_FOR_INTERRUPTS();
		count = plan_execute(&select_payloads, arguments, NULL, false, 0);
		found = SPI_tuptable;
		rows = palloc(sizeof(RefillRow) * Max(count, 1));
		for (uint64 i = 0; i < count; i++)
		{
			bool		isnull;

			rows[i].id = *DatumGetUUIDP(plan_value(i, 1, &isnull));
			rows[i].payload = module_payload_current(module, DatumGetJsonbP(plan_value(i, 2, &isnull)), DatumGetInt32(plan_value(i, 3, &isnull)));
		}
		if (count > 0)
		{
			batch(module, rows, count);
			last = rows[count - 1].id;
		}
		SPI_freetuptable(found);
		MemoryContextSwitchTo(previous);
		MemoryContextDelete(memory);
	} while (count > 0);
}

void
change_refill_slots(int32 tenant_id, int32 module_id)
{
	for_each_batch(module_lookup_version(tenant_id, module_id, 0), change_refill_rows);
}

void
change_refill_unique(int32 tenant_id, int32 module_id)
{
	const ModuleDef *module = module_lookup_version(tenant_id, module_id, 0);

	unique_clear(module);
	if (module->has_unique)
		for_each_batch(module, keep_values);
}
