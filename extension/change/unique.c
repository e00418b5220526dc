/*
 * unique.c
 *	  Values that are unique, of a field or of several together, in qehs.record_unique.
 *
 * They go by the current definition, whichever a record was written against, so
 * that an old record's value under a renamed key and a new record's are held
 * against each other; publishing takes the values of fields that become unique (refill.c).
 *
 * INSERT … ON CONFLICT DO NOTHING waits for a twin in flight and then tells by
 * leaving the row out, so no subtransaction is needed.  Values are taken in their
 * order, of equal ones the first owner's first, so that two callers do not deadlock.
 *
 * Look-ups go from the rows handed in to the table by a scalar subquery: a plan is
 * often made when the table is empty, and kept.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/source.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "record/value.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define THE_VALUE "u.tenant_id = $1 AND u.module_id = $2 AND u.field = @field AND u.value = @value"

static const SourceColumns columns = {4, {{"number", INT4OID}, {"record_id", UUIDOID}, {"field", TEXTOID}, {"value", TEXTOID}}};

static SourceStatement insert_values = {
	"INSERT INTO qehs.record_unique (tenant_id, module_id, record_id, field, value) SELECT $1, $2, @record_id, @field, @value@rows"
	" ON CONFLICT DO NOTHING RETURNING record_id, field",
	2, {INT4OID, INT4OID}, NULL, NULL
};
/* What insert_values returns. */
enum
{
	COLUMN_TAKEN_RECORD_ID = 1, COLUMN_TAKEN_FIELD
};
static SourceStatement select_holders = {
	"SELECT @number, (SELECT u.record_id FROM qehs.record_unique AS u WHERE " THE_VALUE ")@rows", 2, {INT4OID, INT4OID}, NULL, NULL
};
/* The columns of select_holders. */
enum
{
	COLUMN_HOLDER_NUMBER = 1, COLUMN_HOLDER_RECORD_ID
};
static SourceStatement delete_values = {
	"DELETE FROM qehs.record_unique WHERE tenant_id = $1 AND ctid = ANY (ARRAY("
	"SELECT (SELECT u.ctid FROM qehs.record_unique AS u WHERE " THE_VALUE " AND u.record_id = @record_id)@rows))",
	2, {INT4OID, INT4OID}, NULL, NULL
};

static KeptPlan delete_fields = {
	"DELETE FROM qehs.record_unique WHERE tenant_id = $1 AND module_id = $2 AND field = ANY ($3)", 3, {INT4OID, INT4OID, TEXTARRAYOID}, NULL
};
/*
 * An array for each record, and + 0 and || '': by the index on records, record by record; without statistics the table
 * seems to be empty, and reading it whole, or by the primary key, as cheap.
 */
static KeptPlan delete_of_records = {
	"DELETE FROM qehs.record_unique WHERE tenant_id = $1 AND ctid = ANY (ARRAY(SELECT pg_catalog.unnest(ARRAY(SELECT u.ctid"
	" FROM qehs.record_unique AS u WHERE u.tenant_id = r.tenant_id AND u.record_id = r.id AND u.module_id + 0 = $2 AND u.field || '' = ANY ($3)))"
	" FROM (SELECT $1 AS tenant_id, id FROM pg_catalog.unnest($4) AS id OFFSET 0) AS r))",
	4, {INT4OID, INT4OID, TEXTARRAYOID, UUIDARRAYOID}, NULL
};

void
unique_add(UniqueSet *set, int owner, const pg_uuid_t *id, const ModuleUnique *unique, const char *text)
{
	if (set->count == set->room)
	{
		set->room = Max(set->room * 2, 8);
		set->items = set->items ? repalloc(set->items, sizeof(UniqueValue) * set->room) : palloc(sizeof(UniqueValue) * set->room);
	}
	set->items[set->count++] = (UniqueValue) {.owner = owner, .id = *id, .unique = unique, .text = text};
}

void
unique_add_payload(UniqueSet *set, int owner, const pg_uuid_t *id, Jsonb *payload, Jsonb *other)
{
	for (int i = 0; i < set->module->unique_count; i++)
	{
		const ModuleUnique *unique = &set->module->uniques[i];
		char	   *text = value_unique(unique, payload);
		char	   *other_text = text ? value_unique(unique, other) : NULL;

		if (text && (other_text == NULL || strcmp(text, other_text) != 0))
			unique_add(set, owner, id, unique, text);
	}
}

static int
compare_values(const void *left, const void *right)
{
	const UniqueValue *a = left;
	const UniqueValue *b = right;
	int			order = strcmp(a->unique->name, b->unique->name);

	if (order == 0)
		order = strcmp(a->text, b->text);
	return order ? order : a->owner - b->owner;
}

/* Run a statement over the values of a set, which are at least one. */
static uint64
run(const UniqueSet *set, SourceStatement *statement)
{
	Datum		arguments[2] = {Int32GetDatum(set->module->tenant_id), Int32GetDatum(set->module->module_id)};
	const bool	nulls[4] = {false};
	Source	   *source = source_begin(&columns, set->count);
	uint64		rows;

	for (int i = 0; i < set->count; i++)
	{
		Datum		values[4] = {Int32GetDatum(i), UUIDPGetDatum(&set->items[i].id), CStringGetTextDatum(set->items[i].unique->name),
		CStringGetTextDatum(set->items[i].text)};

		source_put(source, values, nulls);
	}
	rows = source_run(source, statement, arguments, NULL);
	source_end(source);
	return rows;
}

/* Whether a row of the result, which has record and field, is of a value. */
static bool
is_of_value(uint64 row, const UniqueValue *value)
{
	bool		isnull;
	text	   *field;

	if (memcmp(DatumGetUUIDP(plan_value(row, COLUMN_TAKEN_RECORD_ID, &isnull)), &value->id, UUID_LEN) != 0)
		return false;
	field = DatumGetTextPP(plan_value(row, COLUMN_TAKEN_FIELD, &isnull));
	return (int) VARSIZE_ANY_EXHDR(field) == value->unique->name_length &&
		memcmp(value->unique->name, VARDATA_ANY(field), value->unique->name_length) == 0;
}

void
unique_take(UniqueSet *set)
{
	uint64		made;
	uint64		next = 0;

	if (set->count == 0)
		return;
	qsort(set->items, set->count, sizeof(UniqueValue), compare_values);
	made = run(set, &insert_values);
	/* what was inserted comes back in the same order */
	for (int i = 0; i < set->count; i++)
	{
		set->items[i].taken = next < made && is_of_value(next, &set->items[i]);
		next += set->items[i].taken;
	}
	SPI_freetuptable(SPI_tuptable);
	/* a record may have had a value before */
	if (made < (uint64) set->count)
		unique_find(set);
}

void
unique_release(UniqueSet *set)
{
	if (set->count > 0)
		run(set, &delete_values);
}

void
unique_find(UniqueSet *set)
{
	uint64		rows;

	if (set->count == 0)
		return;
	rows = run(set, &select_holders);
	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;
		UniqueValue *value = &set->items[DatumGetInt32(plan_value(i, COLUMN_HOLDER_NUMBER, &isnull))];
		Datum		holder = plan_value(i, COLUMN_HOLDER_RECORD_ID, &isnull);

		value->exists = !isnull;
		if (value->exists)
			value->holder = *DatumGetUUIDP(holder);
	}
	SPI_freetuptable(SPI_tuptable);
}

bool
unique_is_lost(const UniqueValue *value)
{
	return !value->taken && !(value->exists && memcmp(&value->holder, &value->id, UUID_LEN) == 0);
}

static Datum
key_array(const List *keys)
{
	Datum	   *items = palloc(sizeof(Datum) * Max(list_length(keys), 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, keys)
		items[count++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(items, count, TEXTOID, -1, false, TYPALIGN_INT));
}

void
unique_clear(int32 tenant_id, int32 module_id, const List *keys)
{
	Datum		values[3] = {Int32GetDatum(tenant_id), Int32GetDatum(module_id)};

	if (keys == NIL)
		return;
	values[2] = key_array(keys);
	plan_execute(&delete_fields, values, NULL, false, 0);
}

void
unique_forget(const ModuleDef *module, const RefillRow *rows, int count, const List *keys)
{
	Datum	   *ids = palloc(sizeof(Datum) * Max(count, 1));
	Datum		values[4] = {Int32GetDatum(module->tenant_id), Int32GetDatum(module->module_id), key_array(keys)};

	for (int i = 0; i < count; i++)
		ids[i] = UUIDPGetDatum(&rows[i].id);
	values[3] = PointerGetDatum(construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	plan_execute(&delete_of_records, values, NULL, false, 0);
}
