/*
 * named.c
 *	  Users and records that a payload names.
 *
 * A bulk load names many: within a memory context given to record_remember_ids
 * each is looked up once, and those that record_remember_payload has noted all
 * with one statement, by the first that is asked for.  What is remembered goes
 * with that context, so it is never older than a chunk.
 *
 * A record may be named by its display code too, which is looked up where it is written (fill.c) and in filters (list.c).
 *
 * Each look-up takes a snapshot of its own: the statement's is older than the locks
 * that were waited for.  For a module that keeps what it names from being deleted
 * (onDelete) the places of the records are held first, so that they live until the
 * transaction ends: who deletes holds them alone (change/restrict.c).
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "record/check.h"
#include "record/link.h"
#include "record/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct NamedKey
{
	int32		tenant_id;
	int32		is_user;
	int32		holder;			/* the module for which a record's place is held; 0: it is not */
	pg_uuid_t	id;
} NamedKey;

typedef struct Named
{
	NamedKey	key;
	const char *module;			/* of a live record; "" for an active user; NULL: there is none */
	bool		noted;			/* not looked up yet */
} Named;

static KeptPlan select_user = {
	"SELECT ''::text FROM qehs.user_account WHERE tenant_id = $1 AND id = $2 AND active", 2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_record = {
	"SELECT m.key FROM qehs.record AS r JOIN qehs.module AS m ON m.tenant_id = $1 AND m.id = r.module_id"
	" WHERE r.tenant_id = $1 AND r.id = $2 AND r.deleted_at IS NULL", 2, {INT4OID, UUIDOID}, NULL
};

/*
 * The users or records of many ids; from the ids to the table, as bulk look-ups are (bulk/keys.c).  deleted_at is looked at
 * outside, so that the index of live records, in which ids come last, is not taken for them.
 */
static KeptPlan select_users = {
	"SELECT k.id, ''::text FROM pg_catalog.unnest($2) AS k (id) CROSS JOIN LATERAL"
	" (SELECT FROM qehs.user_account AS t WHERE t.tenant_id = $1 AND t.id = k.id AND t.active OFFSET 0) AS u",
	2, {INT4OID, UUIDARRAYOID}, NULL
};
static KeptPlan select_records = {
	"SELECT k.id, m.key FROM pg_catalog.unnest($2) AS k (id) CROSS JOIN LATERAL"
	" (SELECT t.module_id, t.deleted_at FROM qehs.record AS t WHERE t.tenant_id = $1 AND t.id = k.id OFFSET 0) AS r"
	" JOIN qehs.module AS m ON m.tenant_id = $1 AND m.id = r.module_id WHERE r.deleted_at IS NULL",
	2, {INT4OID, UUIDARRAYOID}, NULL
};

/* The records of a display code: as many as modules have its prefix. */
static KeptPlan select_coded = {
	"SELECT r.id, m.key FROM qehs.module AS m JOIN qehs.record AS r ON r.tenant_id = $1 AND r.module_id = m.id AND r.display_no = $3"
	" WHERE m.tenant_id = $1 AND m.display_prefix = $2 AND r.deleted_at IS NULL ORDER BY m.key", 3, {INT4OID, TEXTOID, INT8OID}, NULL
};
/* The columns of select_records and select_coded. */
enum
{
	COLUMN_ID = 1, COLUMN_KEY
};

/* The number of a module one of whose references keeps what it names; otherwise 0, as of one that is not published yet (defaults.c). */
static int32
holder_of(const ModuleDef *module)
{
	const ModuleDef *current = module_lookup_version(module->tenant_id, module->module_id, 0);

	return current && current->restricts ? module->module_id : 0;
}

/* Hold the places of records, when it is for a module (link.h). */
static void
hold(int32 tenant_id, int32 holder, const Datum *ids, int count)
{
	LinkSet		set = {0};

	if (holder == 0)
		return;
	set.items = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	for (set.count = 0; set.count < count; set.count++)
		set.items[set.count] = *DatumGetUUIDP(ids[set.count]);
	link_hold_targets(tenant_id, holder, &set);
	pfree(set.items);
}

static HTAB *remembered = NULL;
static MemoryContext remembered_memory = NULL;

static void
forget(void *argument)
{
	remembered = NULL;
	remembered_memory = NULL;
}

void
record_remember_ids(MemoryContext memory)
{
	HASHCTL		control = {.keysize = sizeof(NamedKey), .entrysize = sizeof(Named), .hcxt = memory};
	MemoryContextCallback *callback = MemoryContextAllocZero(memory, sizeof(MemoryContextCallback));

	callback->func = forget;
	MemoryContextRegisterResetCallback(memory, callback);
	remembered = hash_create("qehs named ids", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	remembered_memory = memory;
}

static void
note(int32 tenant_id, bool is_user, int32 holder, const JsonbValue *value)
{
	NamedKey	key = {.tenant_id = tenant_id, .is_user = is_user, .holder = is_user ? 0 : holder};
	Named	   *named;
	bool		found;

	if (value->type != jbvString ||
		!id_parse(value->val.string.val, value->val.string.len, is_user ? QEHS_ID_USER : QEHS_ID_RECORD, &key.id))
		return;
	named = hash_search(remembered, &key, HASH_ENTER, &found);
	if (found)
		return;
	named->module = NULL;
	named->noted = true;
}

void
record_remember_payload(const ModuleDef *module, const Jsonb *payload)
{
	int32		holder = holder_of(module);

	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		JsonbValue	value;

		if ((field->type != FIELD_USER && !module_names_records(field->type)) ||
			!json_member(&payload->root, field->key, field->key_length, &value))
			continue;
		if (field->type != FIELD_RECORD_REFERENCES)
			note(module->tenant_id, field->type == FIELD_USER, holder, &value);
		/* not checked yet: it may be anything */
		else if (value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
			for (uint32 j = 0; j < JsonContainerSize(value.val.binary.data); j++)
				note(module->tenant_id, false, holder, getIthJsonbValueFromContainer(value.val.binary.data, j));
	}
}

/* Settle the noted ones of a kind: those that are found get their module, the others have none. */
static void
look_up_noted(int32 tenant_id, int32 is_user, int32 holder)
{
	HASH_SEQ_STATUS scan;
	Named	   *named;
	int			count = 0;
	Datum	   *ids = palloc(sizeof(Datum) * hash_get_num_entries(remembered));
	Datum		values[2] = {Int32GetDatum(tenant_id)};
	uint64		found;

	hash_seq_init(&scan, remembered);
	while ((named = hash_seq_search(&scan)) != NULL)
		if (named->noted && named->key.tenant_id == tenant_id && named->key.is_user == is_user && named->key.holder == holder)
			ids[count++] = UUIDPGetDatum(&named->key.id);
	hold(tenant_id, holder, ids, count);
	values[1] = PointerGetDatum(construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	SPI_connect();
	/* a plan made when the table was small may take any index that begins with the tenant: here that costs 500 scans of it */
	plan_renew(is_user ? &select_users : &select_records);
	found = plan_execute(is_user ? &select_users : &select_records, values, NULL, false, 0);
	for (uint64 i = 0; i < found; i++)
	{
		bool		isnull;
		NamedKey	key = {.tenant_id = tenant_id, .is_user = is_user, .holder = holder, .id = *DatumGetUUIDP(plan_value(i, COLUMN_ID, &isnull))};

		named = hash_search(remembered, &key, HASH_FIND, NULL);
		named->module = MemoryContextStrdup(remembered_memory, TextDatumGetCString(plan_value(i, COLUMN_KEY, &isnull)));
	}
	SPI_finish();
	/* only now, since the statement may fail */
	for (int i = 0; i < count; i++)
	{
		NamedKey	key = {.tenant_id = tenant_id, .is_user = is_user, .holder = holder, .id = *DatumGetUUIDP(ids[i])};

		named = hash_search(remembered, &key, HASH_FIND, NULL);
		named->noted = false;
	}
	pfree(ids);
}

static const char *
look_up(const NamedKey *key, MemoryContext memory)
{
	Datum		values[2] = {Int32GetDatum(key->tenant_id), UUIDPGetDatum(&key->id)};
	const char *module = NULL;
	bool		isnull;

	hold(key->tenant_id, key->holder, &values[1], 1);
	SPI_connect();
	if (plan_execute(key->is_user ? &select_user : &select_record, values, NULL, false, 1) > 0)
		module = MemoryContextStrdup(memory, TextDatumGetCString(plan_value(0, 1, &isnull)));
	SPI_finish();
	return module;
}

/* The entry is made after the look-up, which may fail. */
static const char *
find(const NamedKey *key)
{
	Named	   *named;
	const char *module;

	if (remembered == NULL)
		return look_up(key, CurrentMemoryContext);
	named = hash_search(remembered, key, HASH_FIND, NULL);
	if (named && named->noted)
		look_up_noted(key->tenant_id, key->is_user, key->holder);
	if (named)
		return named->module;
	module = look_up(key, remembered_memory);
	named = hash_search(remembered, key, HASH_ENTER, NULL);
	named->module = module;
	named->noted = false;
	return module;
}

bool
named_user_is_active(int32 tenant_id, const pg_uuid_t *id)
{
	NamedKey	key = {.tenant_id = tenant_id, .is_user = true, .id = *id};

	return find(&key) != NULL;
}

const char *
named_record_module(int32 tenant_id, const ModuleDef *referrer, const pg_uuid_t *id)
{
	NamedKey	key = {.tenant_id = tenant_id, .holder = referrer ? holder_of(referrer) : 0, .id = *id};

	return find(&key);
}

bool
named_may_read(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *id)
{
	PermissionSubject subject;

	if (permission_may(context, module, ACTION_READ, NULL, NULL))
		return true;
	return permission_may(context, module, ACTION_READ, &permission_some_record, NULL) &&
		record_find_subject(context->tenant_id, id, &subject) && permission_may(context, module, ACTION_READ, &subject, NULL);
}

CodeOutcome
named_record_of_code(const RequestContext *context, const ModuleField *field, const char *text, int length, pg_uuid_t *id, const char **modules)
{
	char	   *upper = asc_toupper(text, length);
	Datum		values[3] = {Int32GetDatum(context->tenant_id)};
	StringInfoData keys;
	int			prefix_length;
	int64		display_no;
	int			found = 0;
	uint64		count;

	if (!value_parse_display_code(upper, length, &prefix_length, &display_no))
		return CODE_NONE;
	values[1] = PointerGetDatum(cstring_to_text_with_len(upper, prefix_length));
	values[2] = Int64GetDatum(display_no);
	initStringInfo(&keys);
	SPI_connect();
	count = plan_execute(&select_coded, values, NULL, false, 0);
	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;
		pg_uuid_t	coded = *DatumGetUUIDP(plan_value(i, COLUMN_ID, &isnull));
		char	   *key = plan_text(i, COLUMN_KEY);
		const ModuleDef *module = module_field_refers_to(field, key) ? module_lookup(context->tenant_id, key) : NULL;

		if (module == NULL || !named_may_read(context, module, &coded))
			continue;
		appendStringInfo(&keys, "%s\"%s\"", found == 0 ? "" : " and ", key);
		*id = coded;
		found++;
	}
	SPI_finish();
	*modules = keys.data;
	return found == 0 ? CODE_UNKNOWN : found == 1 ? CODE_FOUND : CODE_AMBIGUOUS;
}

char *
named_modules(const ModuleField *field)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < field->reference_count; i++)
		appendStringInfo(&out, "%s\"%s\"", i == 0 ? "" : i + 1 < field->reference_count ? ", " : " or ", field->references[i]);
	return out.data;
}

void
named_code_fault(ViolationList *faults, const char *path, const ModuleField *field, CodeOutcome outcome, const char *modules)
{
	if (outcome == CODE_UNKNOWN)
		violation_add_first(faults, path, "not_found", "is the display code of no record%s%s",
							field->reference_count > 0 ? " of module " : "", named_modules(field));
	else if (outcome == CODE_AMBIGUOUS)
		violation_add_first(faults, path, "ambiguous", "is the display code of records of modules %s: give the id of one", modules);
}
