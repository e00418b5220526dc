/*
 * cycle.c
 *	  Following references from record to record.
 *
 * Two who give two records to each other as parents would not see each other's
 * change: who changes such a field holds the module's chains alone first.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/cycle.h"
#include "record/link.h"
#include "storage/lock.h"

static KeptPlan select_record = {
	"SELECT definition_version, payload FROM qehs.record WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_record. */
enum
{
	COLUMN_DEFINITION_VERSION = 1, COLUMN_PAYLOAD
};

static void
hold_chains(const ModuleDef *module)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) module->tenant_id, (uint32) module->module_id, LOCK_CHAINS);
	LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Add the records that a record refers to and that are not among them yet. */
static void
add_next(LinkSet *reached, const ModuleDef *current, const ModuleField *field, const pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(current->tenant_id), UUIDPGetDatum(id)};
	LinkSet		named = {0};
	JsonbValue	value;
	const char *key;
	bool		isnull;

	if (plan_execute_latest(&select_record, values, NULL, 1) == 0)
		return;
	key = module_field_key(field, DatumGetInt32(plan_value(0, COLUMN_DEFINITION_VERSION, &isnull)));
	if (key && json_member(&DatumGetJsonbP(plan_value(0, COLUMN_PAYLOAD, &isnull))->root, key, strlen(key), &value))
		link_add_value(&named, field, &value);
	/* one more than are looked at */
	for (int i = 0; i < named.count && reached->count <= QEHS_CYCLE_DEPTH; i++)
	{
		int			at = 0;

		while (at < reached->count && memcmp(&reached->items[at], &named.items[i], UUID_LEN) != 0)
			at++;
		if (at == reached->count)
			link_add(reached, &named.items[i]);
	}
}

CycleOutcome
cycle_look(const ModuleDef *module, const ModuleField *field, const pg_uuid_t *start, const pg_uuid_t *target)
{
	const ModuleDef *current = module_lookup(module->tenant_id, module->key);
	const ModuleField *followed = module_field_of(current, module->version, field->key, field->key_length);
	CycleOutcome outcome = CYCLE_NONE;
	LinkSet		reached = {0};

	hold_chains(module);
	SPI_connect();
	link_add(&reached, start);
	for (int i = 0; i < reached.count && outcome == CYCLE_NONE; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i == QEHS_CYCLE_DEPTH)
			outcome = CYCLE_TOO_DEEP;
		else if (memcmp(&reached.items[i], target, UUID_LEN) == 0)
			outcome = CYCLE_FOUND;
		else if (followed)
			add_next(&reached, current, followed, &reached.items[i]);
	}
	SPI_finish();
	return outcome;
}
