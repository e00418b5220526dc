/*
 * refill.c
 *	  Filling the slots and search text of existing records after a module's slot
 *	  map or its searchable fields changed, and their unique values after its
 *	  unique fields did.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "module/publish.h"
#include "record/record.h"
#include "utils/builtins.h"

/* module_id + 0: by the primary key, in its order; without statistics another index and a sort of all rows looks as cheap */
static KeptPlan select_payloads = {
	"SELECT id, payload, definition_version FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2 AND deleted_at IS NULL AND id > $3"
	" ORDER BY id LIMIT 1000 FOR NO KEY UPDATE",
	3, {INT4OID, INT4OID, UUIDOID}, NULL
};
static KeptPlan update_slots = {
	"UPDATE qehs.record SET t1 = $3, t2 = $4, t3 = $5, t4 = $6, t5 = $7, t6 = $8, n1 = $9, n2 = $10, n3 = $11, n4 = $12,"
	" d1 = $13, d2 = $14, d3 = $15, d4 = $16,"
	" search = CASE WHEN $17::text IS NULL THEN NULL ELSE pg_catalog.to_tsvector('pg_catalog.simple', $17) END"
	" WHERE tenant_id = $1 AND id = $2",
	17, {INT4OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	FLOAT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}, NULL
};

/* The payload of a row under the keys of the module's current definition. */
static Jsonb *
batch_payload(const ModuleDef *module, SPITupleTable *batch, uint64 row)
{
	bool		isnull;
	Jsonb	   *payload = DatumGetJsonbP(SPI_getbinval(batch->vals[row], batch->tupdesc, 2, &isnull));

	return module_payload_current(module, payload, DatumGetInt32(SPI_getbinval(batch->vals[row], batch->tupdesc, 3, &isnull)));
}

/* One batch after the id; gives how many rows there were and moves the id. */
static uint64
refill_batch(const ModuleDef *module, pg_uuid_t *last)
{
	Datum		arguments[3] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), UUIDPGetDatum(last)};
	uint64		rows = plan_execute(&select_payloads, arguments, NULL, false, 0);
	SPITupleTable *batch = SPI_tuptable;

	for (uint64 i = 0; i < rows; i++)
	{
		Datum		values[2 + QEHS_SLOTS + 1];
		char		nulls[2 + QEHS_SLOTS + 1];
		RecordSlots slots;
		Jsonb	   *payload;
		char	   *search;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		*last = *DatumGetUUIDP(SPI_getbinval(batch->vals[i], batch->tupdesc, 1, &isnull));
		payload = batch_payload(module, batch, i);
		record_slots(module, payload, &slots);
		search = record_search_text(module, payload);
		values[0] = arguments[0];
		values[1] = UUIDPGetDatum(last);
		memset(nulls, ' ', sizeof(nulls));
		for (int s = 0; s < QEHS_SLOTS; s++)
		{
			values[2 + s] = slots.values[s];
			nulls[2 + s] = slots.isnull[s] ? 'n' : ' ';
		}
		values[2 + QEHS_SLOTS] = search ? CStringGetTextDatum(search) : (Datum) 0;
		nulls[2 + QEHS_SLOTS] = search ? ' ' : 'n';
		plan_execute(&update_slots, values, nulls, false, 0);
	}
	SPI_freetuptable(batch);
	return rows;
}

void
module_refill_slots(int32 tenant_id, int32 module_id)
{
	const ModuleDef *module = module_lookup_version(tenant_id, module_id, 0);
	pg_uuid_t	last = {{0}};

	while (refill_batch(module, &last) > 0)
		;
}

/* One batch after the id; gives how many rows there were and moves the id. */
static uint64
keep_batch(const ModuleDef *module, pg_uuid_t *last)
{
	Datum		arguments[3] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), UUIDPGetDatum(last)};
	uint64		rows = plan_execute(&select_payloads, arguments, NULL, false, 0);
	SPITupleTable *batch = SPI_tuptable;
	bool		isnull;

	for (uint64 i = 0; i < rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		*last = *DatumGetUUIDP(SPI_getbinval(batch->vals[i], batch->tupdesc, 1, &isnull));
		record_unique_keep(module, last, batch_payload(module, batch, i));
	}
	SPI_freetuptable(batch);
	return rows;
}

void
module_refill_unique(int32 tenant_id, int32 module_id)
{
	const ModuleDef *module = module_lookup_version(tenant_id, module_id, 0);
	pg_uuid_t	last = {{0}};

	record_unique_clear(module);
	while (module->has_unique && keep_batch(module, &last) > 0)
		;
}
