/*
 * cache.c
 *	  ModuleDefs per backend.
 *
 * A version is cached once, by (tenant, module, version), however it was asked
 * for; two more caches lead from a module's key, and from its number, to the
 * current version.
 *
 * Rows are read with the newest snapshot, as catalogs are: what is cached must
 * not be as old as the transaction that happened to load it.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "module/migrate.h"
#include "module/publish.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/inval.h"

typedef struct VersionKey
{
	int32		tenant_id;
	int32		module_id;
	int32		version;
} VersionKey;

typedef struct CurrentKey
{
	int32		tenant_id;
	char		key[NAMEDATALEN];
} CurrentKey;

static Cache versions = {"module version", sizeof(VersionKey), WATCH_MODULE, NULL};
static Cache current = {"module by key", sizeof(CurrentKey), WATCH_MODULE, NULL};
static Cache current_versions = {"module by number", sizeof(VersionKey), WATCH_MODULE, NULL};

#define MODULE_COLUMNS "m.id, v.version, m.display_prefix, v.definition, v.json_schema, v.slots, m.unfilled, m.search_unfilled"
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
/* The columns of MODULE_COLUMNS. */
enum
{
	COLUMN_MODULE_ID = 1, COLUMN_VERSION, COLUMN_PREFIX, COLUMN_DEFINITION, COLUMN_JSON_SCHEMA, COLUMN_SLOTS, COLUMN_UNFILLED,
	COLUMN_SEARCH_UNFILLED
};

/* Versions whose rules rename or drop fields, up to the one that is loaded. */
static KeptPlan select_moving = {
	"SELECT version, definition FROM qehs.module_version WHERE tenant_id = $1 AND module_id = $2 AND version <= $3"
	" AND (definition #> '{migrate,rename}' IS NOT NULL OR definition #> '{migrate,drop}' IS NOT NULL) ORDER BY version DESC",
	3, {INT4OID, INT4OID, INT4OID}, NULL
};
/* The columns of select_moving. */
enum
{
	COLUMN_MOVING_VERSION = 1, COLUMN_MOVING_DEFINITION
};

/* Whether a version before the loaded one has rules of fields: records may hold fields that are gone since. */
static KeptPlan select_rules = {
	"SELECT 1 FROM qehs.module_version WHERE tenant_id = $1 AND module_id = $2 AND version < $3"
	" AND definition #> '{permissions,fields}' IS NOT NULL",
	3, {INT4OID, INT4OID, INT4OID}, NULL
};

/* Where earlier versions had the fields; inside SPI. */
static void
load_former_keys(ModuleDef *module)
{
	Datum		values[3] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), Int32GetDatum(module->version)};
	int			count = plan_execute_latest(&select_moving, values, NULL, 0);
	MovingVersion *versions = palloc(sizeof(MovingVersion) * Max(count, 1));
	bool		isnull;

	for (int i = 0; i < count; i++)
		versions[i] = (MovingVersion) {DatumGetInt32(plan_value(i, COLUMN_MOVING_VERSION, &isnull)),
		DatumGetJsonbP(plan_value(i, COLUMN_MOVING_DEFINITION, &isnull))};
	migrate_load_former_keys(module, versions, count);
	if (!module->has_field_rules)
		module->has_field_rules = plan_execute_latest(&select_rules, values, NULL, 1) > 0;
}

/* The version in the row of the query that was just run, from the cache where it is there; inside SPI. */
static ModuleDef *
load_row(int32 tenant_id, CacheFill *fill)
{
	bool		isnull;
	VersionKey	key = {tenant_id, DatumGetInt32(plan_value(0, COLUMN_MODULE_ID, &isnull)), DatumGetInt32(plan_value(0, COLUMN_VERSION, &isnull))};
	ModuleDef  *module = cache_find(&versions, &key);

	if (module)
		return module;
	module = module_load(tenant_id, key.module_id, key.version, TextDatumGetCString(plan_value(0, COLUMN_PREFIX, &isnull)),
						 DatumGetJsonbP(plan_value(0, COLUMN_DEFINITION, &isnull)), DatumGetJsonbP(plan_value(0, COLUMN_JSON_SCHEMA, &isnull)),
						 DatumGetJsonbP(plan_value(0, COLUMN_SLOTS, &isnull)), fill->memory);
	module_mark_unfilled(module, plan_value(0, COLUMN_UNFILLED, &isnull), DatumGetBool(plan_value(0, COLUMN_SEARCH_UNFILLED, &isnull)));
	load_former_keys(module);
	cache_keep(&versions, fill, &key, tenant_id, module, schema_size_beside(module->schema));
	return module;
}

/* Run a query of MODULE_COLUMNS and keep what it finds, under alias as the current version too; NULL when it finds nothing. */
static ModuleDef *
load(KeptPlan *query, Datum *values, int32 tenant_id, Cache *aliases, const void *alias)
{
	ModuleDef  *module = NULL;
	CacheFill	fill;

	SPI_connect();
	fill = cache_begin();
	if (plan_execute_latest(query, values, NULL, 1) == 1)
		module = load_row(tenant_id, &fill);
	SPI_finish();
	if (module && aliases)
	{
		VersionKey	key = {tenant_id, module->module_id, module->version};

		cache_keep_bytes(aliases, fill.moment, alias, tenant_id, &key, sizeof(key));
	}
	return module;
}

/* The ModuleDef to which a current version's number leads; NULL when either is not in the cache. */
static ModuleDef *
find_current(Cache *aliases, const void *alias)
{
	const VersionKey *found = cache_find(aliases, alias);
	VersionKey	key;

	if (found == NULL)
		return NULL;
	key = *found;
	return cache_find(&versions, &key);
}

static LOCKTAG
slots_tag(int32 tenant_id, int32 module_id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, (uint32) module_id, LOCK_SLOTS);
	return tag;
}

void
module_hold_slots(int32 tenant_id, int32 module_id)
{
	LOCKTAG		tag = slots_tag(tenant_id, module_id);

	LockAcquire(&tag, ShareLock, false, false);
	/* a publisher announces before it lets go of the lock */
	AcceptInvalidationMessages();
}

void
module_lock_slots(int32 tenant_id, int32 module_id)
{
	LOCKTAG		tag = slots_tag(tenant_id, module_id);

	LockAcquire(&tag, ExclusiveLock, false, false);
}

void
module_unlock_slots(int32 tenant_id, int32 module_id)
{
	LOCKTAG		tag = slots_tag(tenant_id, module_id);

	LockRelease(&tag, ExclusiveLock, false);
}

const ModuleDef *
module_lookup(int32 tenant_id, const char *key)
{
	CurrentKey	wanted;
	ModuleDef  *module;
	Datum		values[2] = {Int32GetDatum(tenant_id)};

	if (strlen(key) >= NAMEDATALEN)
		return NULL;
	memset(&wanted, 0, sizeof(wanted));
	wanted.tenant_id = tenant_id;
	strlcpy(wanted.key, key, sizeof(wanted.key));
	module = find_current(&current, &wanted);
	if (module)
		return module;
	values[1] = CStringGetTextDatum(key);
	return load(&select_current, values, tenant_id, &current, &wanted);
}

const ModuleDef *
module_lookup_version(int32 tenant_id, int32 module_id, int32 version)
{
	VersionKey	wanted = {tenant_id, module_id, version};
	ModuleDef  *module = version == 0 ? find_current(&current_versions, &wanted) : cache_find(&versions, &wanted);
	Datum		values[3] = {Int32GetDatum(tenant_id), Int32GetDatum(module_id), Int32GetDatum(version)};

	if (module)
		return module;
	return load(&select_version, values, tenant_id, version == 0 ? &current_versions : NULL, &wanted);
}
