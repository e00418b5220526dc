/*
 * values.c
 *	  Unique values of many rows at once, in qehs.record_unique.
 *
 * As for one record (record/unique.c) ON CONFLICT DO NOTHING waits for a twin in
 * flight.  Values are taken in their order, of equal ones the first line's
 * first, so that two loads do not deadlock.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "bulk/bulk.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

static KeptPlan insert_values = {
	"INSERT INTO qehs.record_unique (tenant_id, module_id, field, value, record_id)"
	" SELECT $1, $2, v.field, v.value, v.record_id"
	" FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5)) AS v (field, value, record_id)"
	" ON CONFLICT DO NOTHING RETURNING record_id, field",
	5, {INT4OID, INT4OID, TEXTARRAYOID, TEXTARRAYOID, UUIDARRAYOID}, NULL
};
static KeptPlan select_values = {
	"SELECT v.number, u.record_id"
	" FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4)) WITH ORDINALITY AS v (field, value, number)"
	" CROSS JOIN LATERAL (SELECT t.record_id FROM qehs.record_unique AS t"
	" WHERE t.tenant_id = $1 AND t.module_id = $2 AND t.field = v.field AND t.value = v.value OFFSET 0) AS u",
	4, {INT4OID, INT4OID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};
static KeptPlan delete_values = {
	"DELETE FROM qehs.record_unique WHERE tenant_id = $1 AND record_id = ANY ($2)",
	2, {INT4OID, UUIDARRAYOID}, NULL
};

typedef struct Value
{
	BulkRow    *row;
	const ModuleField *field;
	const char *text;
} Value;

typedef struct ValueSet
{
	int			count;
	Value	   *items;
} ValueSet;

static int
compare_values(const void *left, const void *right)
{
	const Value *a = left;
	const Value *b = right;
	int			order = strcmp(a->field->key, b->field->key);

	if (order == 0)
		order = strcmp(a->text, b->text);
	return order ? order : a->row->line < b->row->line ? -1 : 1;
}

/* Twins in the external id are no clash in a dry run of an upsert: the second would change the first's record. */
static bool
counts(const BulkLoad *load, const ModuleField *field)
{
	return field->unique && !(load->options.dry_run && field == load->options.external);
}

/* All unique values of rows, in the order in which they are taken. */
static ValueSet
collect(const BulkLoad *load, BulkRow **rows, int count)
{
	ValueSet	set = {0};
	int			unique_fields = 0;

	for (int i = 0; i < load->module->field_count; i++)
		unique_fields += load->module->fields[i].unique;
	set.items = palloc(sizeof(Value) * Max(count * unique_fields, 1));
	for (int i = 0; i < count; i++)
	{
		for (int f = 0; f < load->module->field_count; f++)
		{
			const ModuleField *field = &load->module->fields[f];
			char	   *text = counts(load, field) ? record_unique_text(field, rows[i]->payload) : NULL;

			if (text)
				set.items[set.count++] = (Value) {rows[i], field, text};
		}
	}
	qsort(set.items, set.count, sizeof(Value), compare_values);
	return set;
}

static void
set_arguments(const BulkLoad *load, const ValueSet *set, Datum *values)
{
	Datum	   *fields = palloc(sizeof(Datum) * Max(set->count, 1));
	Datum	   *texts = palloc(sizeof(Datum) * Max(set->count, 1));

	for (int i = 0; i < set->count; i++)
	{
		fields[i] = CStringGetTextDatum(set->items[i].field->key);
		texts[i] = CStringGetTextDatum(set->items[i].text);
	}
	values[0] = Int32GetDatum(load->context->tenant_id);
	values[1] = Int32GetDatum(load->module->module_id);
	values[2] = PointerGetDatum(construct_array(fields, set->count, TEXTOID, -1, false, TYPALIGN_INT));
	values[3] = PointerGetDatum(construct_array(texts, set->count, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
fail_value(BulkLoad *load, const Value *value)
{
	if (value->row->status == BULK_WAITING)
		bulk_fail_at(load, value->row, psprintf("/payload/%s", value->field->key), "unique", "is used by another record");
}

/* Fail rows whose values stand in the table. */
static void
look_at_table(BulkLoad *load, const ValueSet *set)
{
	Datum		values[4];
	uint64		found;

	if (set->count == 0)
		return;
	set_arguments(load, set, values);
	found = plan_execute(&select_values, values, NULL, false, 0);
	for (uint64 i = 0; i < found; i++)
	{
		bool		isnull;

		fail_value(load, &set->items[DatumGetInt64(plan_value(i, 1, &isnull)) - 1]);
	}
	SPI_freetuptable(SPI_tuptable);
}

static int
compare_lines(const void *left, const void *right)
{
	const Value *a = left;
	const Value *b = right;

	return a->row->line < b->row->line ? -1 : a->row->line > b->row->line;
}

/* Settle a row of a dry run by the lines before it; a key that one of them has makes it a replay or a conflict. */
static void
look_at_lines(BulkLoad *load, BulkRow *row, const Value *values, int count)
{
	uint64		what;

	if (row->key && bulk_was_seen("", row->key, row->line, &what))
	{
		if (what == row->fingerprint)
			row->status = BULK_VALID;
		else
			bulk_fail_at(load, row, "/idempotencyKey", "idempotency_key_conflict", "was used with another line or request");
		return;
	}
	for (int i = 0; i < count; i++)
		if (bulk_was_seen(values[i].field->key, values[i].text, row->line, &what))
			fail_value(load, &values[i]);
	if (row->status != BULK_WAITING)
		return;
	row->status = BULK_VALID;
	if (row->key)
		bulk_see("", row->key, row->line, row->fingerprint);
	for (int i = 0; i < count; i++)
		bulk_see(values[i].field->key, values[i].text, row->line, 0);
}

void
bulk_look_at_values(BulkLoad *load, BulkRow **rows, int count)
{
	ValueSet	set = collect(load, rows, count);
	int			next = 0;

	look_at_table(load, &set);
	qsort(set.items, set.count, sizeof(Value), compare_lines);
	for (int i = 0; i < count; i++)
	{
		int			first = next;

		while (next < set.count && set.items[next].row == rows[i])
			next++;
		if (rows[i]->status == BULK_WAITING)
			look_at_lines(load, rows[i], set.items + first, next - first);
	}
}

/* Insert a set's values; fails the rows of those that were not to be had. */
static void
take(BulkLoad *load, const ValueSet *set)
{
	Datum		values[5];
	Datum	   *ids = palloc(sizeof(Datum) * Max(set->count, 1));
	uint64		made;
	uint64		next = 0;

	if (set->count == 0)
		return;
	set_arguments(load, set, values);
	for (int i = 0; i < set->count; i++)
		ids[i] = UUIDPGetDatum(&set->items[i].row->id);
	values[4] = PointerGetDatum(construct_array(ids, set->count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	made = plan_execute(&insert_values, values, NULL, false, 0);
	/* what was inserted comes back in the same order */
	for (int i = 0; i < set->count; i++)
	{
		const Value *value = &set->items[i];
		bool		isnull;
		bool		taken = next < made &&
			memcmp(DatumGetUUIDP(plan_value(next, 1, &isnull)), &value->row->id, UUID_LEN) == 0;

		if (taken)
		{
			text	   *field = DatumGetTextPP(plan_value(next, 2, &isnull));

			taken = strlen(value->field->key) == VARSIZE_ANY_EXHDR(field) &&
				memcmp(value->field->key, VARDATA_ANY(field), VARSIZE_ANY_EXHDR(field)) == 0;
		}
		if (taken)
			next++;
		else
			fail_value(load, value);
	}
	SPI_freetuptable(SPI_tuptable);
}

void
bulk_release_values(BulkLoad *load, BulkRow **rows, int count)
{
	Datum		values[2];
	Datum	   *ids = palloc(sizeof(Datum) * Max(count, 1));

	if (count == 0 || !load->module->has_unique)
		return;
	for (int i = 0; i < count; i++)
		ids[i] = UUIDPGetDatum(&rows[i]->id);
	values[0] = Int32GetDatum(load->context->tenant_id);
	values[1] = PointerGetDatum(construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	plan_execute(&delete_values, values, NULL, false, 0);
}

/*
 * Rows that failed may have held another value for a moment, and another row
 * failed for it: those are tried again, one by one, in the order of lines.
 */
static void
try_again(BulkLoad *load, BulkRow **rows, int count)
{
	bulk_release_values(load, rows, count);
	for (int i = 0; i < count; i++)
	{
		ValueSet	set = collect(load, &rows[i], 1);

		CHECK_FOR_INTERRUPTS();
		rows[i]->status = BULK_WAITING;
		take(load, &set);
		if (rows[i]->status == BULK_FAILED)
			bulk_release_values(load, &rows[i], 1);
	}
}

void
bulk_take_values(BulkLoad *load, BulkRow **rows, int count)
{
	ValueSet	set;
	BulkRow   **failed = palloc(sizeof(BulkRow *) * Max(count, 1));
	int			failed_count = 0;
	int			unique_fields = 0;

	if (!load->module->has_unique || count == 0)
		return;
	set = collect(load, rows, count);
	take(load, &set);
	for (int i = 0; i < count; i++)
		if (rows[i]->status == BULK_FAILED)
			failed[failed_count++] = rows[i];
	for (int i = 0; i < load->module->field_count; i++)
		unique_fields += load->module->fields[i].unique;
	if (failed_count > 0 && unique_fields > 1)
		try_again(load, failed, failed_count);
}

void
bulk_find_existing(BulkLoad *load, BulkRow **rows, int count)
{
	ValueSet	set = {.items = palloc(sizeof(Value) * Max(count, 1))};
	Datum		values[4];
	uint64		found;

	for (int i = 0; i < count; i++)
	{
		rows[i]->to_update = false;
		if (rows[i]->external)
			set.items[set.count++] = (Value) {rows[i], load->options.external, rows[i]->external};
	}
	if (set.count == 0)
		return;
	set_arguments(load, &set, values);
	found = plan_execute(&select_values, values, NULL, false, 0);
	for (uint64 i = 0; i < found; i++)
	{
		bool		isnull;
		BulkRow    *row = set.items[DatumGetInt64(plan_value(i, 1, &isnull)) - 1].row;

		row->existing = *DatumGetUUIDP(plan_value(i, 2, &isnull));
		row->to_update = true;
	}
	SPI_freetuptable(SPI_tuptable);
}
