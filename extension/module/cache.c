/*
 * cache.c
 *	  ModuleDefs per backend.
 *
 * Two hashes: by (tenant, key) to the current version, and by (tenant, module,
 * version).  When qehs.module was announced as changed, the whole cache steps
 * aside at the next look-up; its memory is freed when the transaction ends,
 * because pointers into it may still be in use.
 *
 * Rows are read with the newest snapshot, as catalogs are: what is cached must
 * not be as old as the transaction that happened to load it.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/watch.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "module/migrate.h"
#include "module/publish.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"

typedef struct VersionKey
{
	int32		tenant_id;
	int32		module_id;
	int32		version;
} VersionKey;

typedef struct VersionEntry
{
	VersionKey	key;
	ModuleDef  *module;
} VersionEntry;

typedef struct CurrentKey
{
	int32		tenant_id;
	char		key[NAMEDATALEN];
} CurrentKey;

typedef struct CurrentEntry
{
	CurrentKey	key;
	ModuleDef  *module;
} CurrentEntry;

static MemoryContext memory = NULL;
static MemoryContext retired = NULL;	/* parent of caches that stepped aside */
static HTAB *versions = NULL;
static HTAB *current = NULL;
static uint64 generation = 0;

#define MODULE_COLUMNS "m.id, v.version, m.display_prefix, v.definition, v.json_schema, v.slots"
#define MODULE_JOIN " FROM qehs.module AS m JOIN qehs.module_version AS v" \
	" ON v.tenant_id = $1 AND v.module_id = m.id WHERE m.tenant_id = $1"

static KeptPlan select_current = {
	"SELECT " MODULE_COLUMNS MODULE_JOIN " AND v.version = m.version AND m.key = $2",
	2, {INT4OID, TEXTOID}, NULL
};
static KeptPlan select_version = {
	"SELECT " MODULE_COLUMNS MODULE_JOIN " AND m.id = $2 AND v.version = CASE $3 WHEN 0 THEN m.version ELSE $3 END",
	3, {INT4OID, INT4OID, INT4OID}, NULL
};

/* Versions whose rules rename or drop fields, up to the one that is loaded. */
static KeptPlan select_moving = {
	"SELECT version, definition FROM qehs.module_version WHERE tenant_id = $1 AND module_id = $2 AND version <= $3"
	" AND (definition #> '{migrate,rename}' IS NOT NULL OR definition #> '{migrate,drop}' IS NOT NULL) ORDER BY version DESC",
	3, {INT4OID, INT4OID, INT4OID}, NULL
};

/* Whether a version before the loaded one has rules of fields: records may hold fields that are gone since. */
static KeptPlan select_rules = {
	"SELECT 1 FROM qehs.module_version WHERE tenant_id = $1 AND module_id = $2 AND version < $3"
	" AND definition #> '{permissions,fields}' IS NOT NULL",
	3, {INT4OID, INT4OID, INT4OID}, NULL
};

static void
free_retired(XactEvent event, void *argument)
{
	if (retired && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE))
		MemoryContextDeleteChildren(retired);
}

static void
renew_cache(void)
{
	uint64		now = watch_generation(WATCH_MODULE);
	HASHCTL		control = {.keysize = sizeof(VersionKey), .entrysize = sizeof(VersionEntry)};

	if (memory && generation == now)
		return;
	if (retired == NULL)
	{
		retired = AllocSetContextCreate(TopMemoryContext, "qehs retired modules", ALLOCSET_SMALL_SIZES);
		RegisterXactCallback(free_retired, NULL);
	}
	if (memory)
		MemoryContextSetParent(memory, retired);
	memory = NULL;
	memory = AllocSetContextCreate(TopMemoryContext, "qehs modules", ALLOCSET_SMALL_SIZES);
	control.hcxt = memory;
	versions = hash_create("qehs module versions", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	control.keysize = sizeof(CurrentKey);
	control.entrysize = sizeof(CurrentEntry);
	current = hash_create("qehs modules", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	generation = now;
}

/* Where earlier versions had the fields; inside SPI. */
static void
load_former_keys(ModuleDef *module)
{
	Datum		values[3] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), Int32GetDatum(module->version)};
	int			count = plan_execute_latest(&select_moving, values, NULL, 0);
	MovingVersion *versions = palloc(sizeof(MovingVersion) * Max(count, 1));
	bool		isnull;

	for (int i = 0; i < count; i++)
		versions[i] = (MovingVersion) {DatumGetInt32(plan_value(i, 1, &isnull)), DatumGetJsonbP(plan_value(i, 2, &isnull))};
	migrate_load_former_keys(module, versions, count);
	if (!module->has_field_rules)
		module->has_field_rules = plan_execute_latest(&select_rules, values, NULL, 1) > 0;
}

/* Load the row of the query that was just run; inside SPI. */
static ModuleDef *
load_row(int32 tenant_id)
{
	bool		isnull;
	char	   *prefix = TextDatumGetCString(plan_value(0, 3, &isnull));
	ModuleDef  *module;

	module = module_load(tenant_id, DatumGetInt32(plan_value(0, 1, &isnull)), DatumGetInt32(plan_value(0, 2, &isnull)),
						 prefix, DatumGetJsonbP(plan_value(0, 4, &isnull)), DatumGetJsonbP(plan_value(0, 5, &isnull)),
						 DatumGetJsonbP(plan_value(0, 6, &isnull)), memory);
	load_former_keys(module);
	return module;
}

static void
lock_slots(int32 tenant_id, int32 module_id, LOCKMODE mode)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, (uint32) module_id, 4);
	LockAcquire(&tag, mode, false, false);
}

void
module_hold_slots(int32 tenant_id, int32 module_id)
{
	lock_slots(tenant_id, module_id, ShareLock);
	/* a publisher announces before it lets go of the lock */
	AcceptInvalidationMessages();
}

void
module_lock_slots(int32 tenant_id, int32 module_id)
{
	lock_slots(tenant_id, module_id, ExclusiveLock);
}

const ModuleDef *
module_lookup(int32 tenant_id, const char *key)
{
	CurrentKey	wanted;
	CurrentEntry *entry;
	ModuleDef  *module = NULL;

	if (strlen(key) >= NAMEDATALEN)
		return NULL;
	renew_cache();
	memset(&wanted, 0, sizeof(wanted));
	wanted.tenant_id = tenant_id;
	strlcpy(wanted.key, key, sizeof(wanted.key));
	entry = hash_search(current, &wanted, HASH_FIND, NULL);
	if (entry)
		return entry->module;
	SPI_connect();
	{
		Datum		values[2] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key)};

		if (plan_execute_latest(&select_current, values, NULL, 1) == 1)
			module = load_row(tenant_id);
	}
	SPI_finish();
	if (module)
	{
		entry = hash_search(current, &wanted, HASH_ENTER, NULL);
		entry->module = module;
	}
	return module;
}

const ModuleDef *
module_lookup_version(int32 tenant_id, int32 module_id, int32 version)
{
	VersionKey	wanted = {tenant_id, module_id, version};
	VersionEntry *entry;
	ModuleDef  *module = NULL;

	renew_cache();
	entry = hash_search(versions, &wanted, HASH_FIND, NULL);
	if (entry)
		return entry->module;
	SPI_connect();
	{
		Datum		values[3] = {Int32GetDatum(tenant_id), Int32GetDatum(module_id), Int32GetDatum(version)};

		if (plan_execute_latest(&select_version, values, NULL, 1) == 1)
			module = load_row(tenant_id);
	}
	SPI_finish();
	if (module)
	{
		entry = hash_search(versions, &wanted, HASH_ENTER, NULL);
		entry->module = module;
	}
	return module;
}
