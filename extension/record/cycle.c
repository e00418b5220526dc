/*
 * cycle.c
 *	  Following references from record to record.
 *
 * Two who give two records to each other as parents would not see each other's
 * change: who changes such a field holds the module's chains alone first.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/cycle.h"
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

/* The record that a record refers to; false when it refers to none. */
static bool
next_record(const ModuleDef *current, const ModuleField *field, pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(current->tenant_id), UUIDPGetDatum(id)};
	JsonbValue	value;
	const char *key;
	bool		isnull;

	if (plan_execute_latest(&select_record, values, NULL, 1) == 0)
		return false;
	key = module_field_key(field, DatumGetInt32(plan_value(0, COLUMN_DEFINITION_VERSION, &isnull)));
	return key && json_member(&DatumGetJsonbP(plan_value(0, COLUMN_PAYLOAD, &isnull))->root, key, strlen(key), &value) && value.type == jbvString &&
		id_parse(value.val.string.val, value.val.string.len, QEHS_ID_RECORD, id);
}

CycleOutcome
cycle_look(const ModuleDef *module, const ModuleField *field, const pg_uuid_t *start, const pg_uuid_t *target)
{
	const ModuleDef *current = module_lookup(module->tenant_id, module->key);
	const ModuleField *followed = module_field_of(current, module->version, field->key, field->key_length);
	CycleOutcome outcome = CYCLE_TOO_DEEP;
	pg_uuid_t	id = *start;

	hold_chains(module);
	SPI_connect();
	for (int depth = 0; depth < QEHS_CYCLE_DEPTH && outcome == CYCLE_TOO_DEEP; depth++)
	{
		CHECK_FOR_INTERRUPTS();
		if (memcmp(&id, target, UUID_LEN) == 0)
			outcome = CYCLE_FOUND;
		else if (followed == NULL || !next_record(current, followed, &id))
			outcome = CYCLE_NONE;
	}
	SPI_finish();
	return outcome;
}
