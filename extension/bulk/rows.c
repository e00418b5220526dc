/*
 * rows.c
 *	  Storing the checked rows of a chunk: one statement a table.
 *
 * Keys are claimed first, so that a line sent twice at once is a replay and not
 * a clash of its own unique values; then the values; then what is left gets its
 * display numbers and is inserted from a tuplestore that the statements read as
 * a relation.
 */
#include "base/compat.h"

#include "access/htup_details.h"
#include "base/id.h"
#include "base/plan.h"
#include "bulk/bulk.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"

#define SOURCE "bulk_row"
#define SOURCE_COLUMNS 21
#define FIRST_SLOT 5

static const struct
{
	const char *name;
	Oid			type;
}			source_columns[SOURCE_COLUMNS] = {
	{"id", UUIDOID}, {"display_no", INT8OID}, {"workflow_state", TEXTOID}, {"payload", JSONBOID},
	{"created_at", TIMESTAMPTZOID}, {"t1", TEXTOID}, {"t2", TEXTOID}, {"t3", TEXTOID}, {"t4", TEXTOID}, {"t5", TEXTOID},
	{"t6", TEXTOID}, {"n1", NUMERICOID}, {"n2", NUMERICOID}, {"n3", NUMERICOID}, {"n4", NUMERICOID},
	{"d1", TIMESTAMPTZOID}, {"d2", TIMESTAMPTZOID}, {"d3", TIMESTAMPTZOID}, {"d4", TIMESTAMPTZOID},
	{"search_text", TEXTOID}, {"event_id", UUIDOID}
};

static KeptPlan insert_records = {
	"INSERT INTO qehs.record (tenant_id, module_id, id, definition_version, display_no, workflow_state, payload,"
	" created_at, created_by, updated_at, updated_by, t1, t2, t3, t4, t5, t6, n1, n2, n3, n4, d1, d2, d3, d4, search)"
	" SELECT $1, $2, id, $3, display_no, workflow_state, payload, created_at, $4, $5, $4, t1, t2, t3, t4, t5, t6,"
	" n1, n2, n3, n4, d1, d2, d3, d4,"
	" CASE WHEN search_text IS NULL THEN NULL ELSE pg_catalog.to_tsvector('pg_catalog.simple', search_text) END"
	" FROM " SOURCE,
	5, {INT4OID, INT4OID, INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan insert_events = {
	"INSERT INTO qehs.audit_event (tenant_id, module_id, id, record_id, actor_id, at, action, to_state, record_version,"
	" trace_id) SELECT $1, $2, event_id, id, $3, $4, 'created', workflow_state, 1, $5 FROM " SOURCE,
	5, {INT4OID, INT4OID, UUIDOID, TIMESTAMPTZOID, TEXTOID}, NULL
};

static TupleDesc
source_descriptor(void)
{
	TupleDesc	descriptor = CreateTemplateTupleDesc(SOURCE_COLUMNS);

	for (int i = 0; i < SOURCE_COLUMNS; i++)
		TupleDescInitEntry(descriptor, i + 1, source_columns[i].name, source_columns[i].type, -1, 0);
	return descriptor;
}

/* Display numbers in the order of lines, one block a year. */
static int64 *
number_rows(const BulkLoad *load, BulkRow **rows, int count)
{
	int64	   *numbers = palloc0(sizeof(int64) * count);

	for (int i = 0; i < count; i++)
	{
		int			year = record_display_year(rows[i]->created_at);
		int			wanted = 0;
		int64		next;

		if (numbers[i])
			continue;
		for (int j = i; j < count; j++)
			wanted += record_display_year(rows[j]->created_at) == year;
		next = record_take_display_nos(load->context->tenant_id, load->module->module_id, rows[i]->created_at, wanted);
		for (int j = i; j < count; j++)
			if (record_display_year(rows[j]->created_at) == year)
				numbers[j] = next++;
	}
	return numbers;
}

static void
put_row(const BulkLoad *load, Tuplestorestate *store, TupleDesc descriptor, const BulkRow *row, int64 number)
{
	Datum		values[SOURCE_COLUMNS];
	bool		nulls[SOURCE_COLUMNS] = {false};
	RecordSlots slots;
	pg_uuid_t	event_id;
	char	   *search = record_search_text(load->module, row->payload);

	id_generate(&event_id);
	record_slots(load->module, row->payload, &slots);
	values[0] = UUIDPGetDatum(&row->id);
	values[1] = Int64GetDatum(number);
	values[2] = CStringGetTextDatum(row->state);
	values[3] = JsonbPGetDatum(row->payload);
	values[4] = TimestampTzGetDatum(row->created_at);
	memcpy(&values[FIRST_SLOT], slots.values, sizeof(slots.values));
	memcpy(&nulls[FIRST_SLOT], slots.isnull, sizeof(slots.isnull));
	values[FIRST_SLOT + QEHS_SLOTS] = search ? CStringGetTextDatum(search) : (Datum) 0;
	nulls[FIRST_SLOT + QEHS_SLOTS] = search == NULL;
	values[FIRST_SLOT + QEHS_SLOTS + 1] = UUIDPGetDatum(&event_id);
	tuplestore_putvalues(store, descriptor, values, nulls);
}

/* The rows as a relation that the statements of this SPI connection can name. */
static Tuplestorestate *
make_source(BulkLoad *load, BulkRow **rows, int count, EphemeralNamedRelation relation)
{
	Tuplestorestate *store = tuplestore_begin_heap(true, false, work_mem);
	TupleDesc	descriptor = source_descriptor();
	int64	   *numbers = number_rows(load, rows, count);

	for (int i = 0; i < count; i++)
	{
		MemoryContext previous = MemoryContextSwitchTo(load->line_memory);

		CHECK_FOR_INTERRUPTS();
		put_row(load, store, descriptor, rows[i], numbers[i]);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(load->line_memory);
	}
	relation->md.name = SOURCE;
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = descriptor;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = count;
	relation->reldata = store;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register relation \"%s\"", SOURCE);
	return store;
}

/* Insert the records, and make the counter read the table again if it lags behind it. */
static void
run_record_insert(BulkLoad *load, Datum *values)
{
	PG_TRY();
	{
		plan_execute(&insert_records, values, NULL, false, 0);
	}
	PG_CATCH();
	{
		if (geterrcode() == ERRCODE_UNIQUE_VIOLATION)
			record_forget_display_no(load->context->tenant_id, load->module->module_id, load->now);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
insert_rows(BulkLoad *load, BulkRow **rows, int count)
{
	EphemeralNamedRelationData relation;
	Tuplestorestate *store;
	Datum		record_values[5] = {Int32GetDatum(load->context->tenant_id), Int32GetDatum(load->module->module_id),
		Int32GetDatum(load->module->version), UUIDPGetDatum(&load->context->actor_id), TimestampTzGetDatum(load->now)};
	Datum		event_values[5] = {record_values[0], record_values[1], record_values[3], record_values[4],
		CStringGetTextDatum(load->context->trace_id)};

	if (count == 0)
		return;
	store = make_source(load, rows, count, &relation);
	run_record_insert(load, record_values);
	plan_execute(&insert_events, event_values, load->context->trace_id[0] ? NULL : "    n", false, 0);
	SPI_unregister_relation(SOURCE);
	tuplestore_end(store);
	for (int i = 0; i < count; i++)
		rows[i]->status = BULK_CREATED;
}

/* The rows before end that wait to be created, in the order of lines. */
static int
waiting_rows(BulkLoad *load, int end, BulkRow **rows)
{
	int			count = 0;

	for (int i = load->stored; i < end; i++)
		if (load->rows[i].status == BULK_WAITING && load->rows[i].payload && !load->rows[i].to_update)
			rows[count++] = &load->rows[i];
	return count;
}

static int
rows_with_key(BulkRow **rows, int count, BulkRow **keyed)
{
	int			found = 0;

	for (int i = 0; i < count; i++)
		if (rows[i]->key)
			keyed[found++] = rows[i];
	return found;
}

/* Keep rows of one status, in order; gives how many. */
static int
rows_of_status(BulkRow **rows, int count, BulkStatus status, BulkRow **chosen)
{
	int			found = 0;

	for (int i = 0; i < count; i++)
		if (rows[i]->status == status)
			chosen[found++] = rows[i];
	return found;
}

/* A value that was free at the look-up and is not now: an upsert turns to the record that has it. */
static void
turn_to_updates(BulkLoad *load, BulkRow **failed, int count)
{
	bulk_find_existing(load, failed, count);
	for (int i = 0; i < count; i++)
	{
		BulkRow    *row = failed[i];

		if (row->to_update)
		{
			row->status = BULK_WAITING;
			row->payload = NULL;
			bulk_check_line(load, row);
			if (row->status == BULK_WAITING)
				bulk_update(load, row);
		}
		if (row->status == BULK_FAILED && load->options.stop)
			return;
	}
}

/* Take the values of rows; those that others have give their keys back. */
static void
take_values(BulkLoad *load, BulkRow **rows, int count)
{
	BulkRow   **failed = palloc(sizeof(BulkRow *) * Max(count, 1));
	BulkRow   **keyed = palloc(sizeof(BulkRow *) * Max(count, 1));
	int			failed_count;

	bulk_take_values(load, rows, count);
	failed_count = rows_of_status(rows, count, BULK_FAILED, failed);
	bulk_release_keys(load, keyed, rows_with_key(failed, failed_count, keyed));
	if (load->options.upsert)
		turn_to_updates(load, failed, failed_count);
}

/*
 * With stop, rows behind the first failed one are not loaded: they give back
 * what they took and are forgotten.  Gives how many of the taken rows, which are
 * in the order of lines, stand before it.
 */
static int
stop_at_failure(BulkLoad *load, BulkRow **taken, int count, int end)
{
	BulkRow   **keyed = palloc(sizeof(BulkRow *) * Max(count, 1));
	int			first = load->stored;
	int			kept = 0;

	while (first < end && load->rows[first].status != BULK_FAILED)
		first++;
	if (!load->options.stop || first == end)
		return count;
	while (kept < count && taken[kept]->line < load->rows[first].line)
		kept++;
	bulk_release_values(load, taken + kept, count - kept);
	bulk_release_keys(load, keyed, rows_with_key(taken + kept, count - kept, keyed));
	load->count = first + 1;
	return kept;
}

/* Claim the keys of rows; those that others hold are moved to lost.  Gives how many are left. */
static int
claim_keys(BulkLoad *load, BulkRow **rows, int count, BulkRow **lost, int *lost_count)
{
	int			keyed_count = rows_with_key(rows, count, lost);

	*lost_count = bulk_claim_keys(load, lost, keyed_count);
	memmove(lost, lost + keyed_count - *lost_count, sizeof(BulkRow *) * *lost_count);
	for (int i = 0; i < *lost_count; i++)
		lost[i]->status = BULK_REPLAYED;
	count = rows_of_status(rows, count, BULK_WAITING, rows);
	/* who holds them is looked up later, when the rows of this chunk among the holders are settled */
	for (int i = 0; i < *lost_count; i++)
		lost[i]->status = BULK_WAITING;
	return count;
}

/* One round; gives whether rows wait still, whose keys another row held that failed. */
static bool
store_round(BulkLoad *load, int end)
{
	int			room = Max(end - load->stored, 1);
	BulkRow   **rows = palloc(sizeof(BulkRow *) * room);
	BulkRow   **lost = palloc(sizeof(BulkRow *) * room);
	int			count = waiting_rows(load, end, rows);
	int			lost_count;

	for (int i = 0; i < count; i++)
		id_generate(&rows[i]->id);
	count = claim_keys(load, rows, count, lost, &lost_count);
	take_values(load, rows, count);
	bulk_find_replays(load, lost, lost_count);
	count = rows_of_status(rows, count, BULK_WAITING, rows);
	count = stop_at_failure(load, rows, count, end);
	insert_rows(load, rows, count);
	return rows_of_status(lost, lost_count, BULK_WAITING, lost) > 0 && load->count >= end;
}

static void
look_at_values(BulkLoad *load, int end)
{
	BulkRow   **rows = palloc(sizeof(BulkRow *) * Max(end - load->stored, 1));
	int			count = waiting_rows(load, end, rows);

	bulk_look_at_values(load, rows, count);
	stop_at_failure(load, rows, 0, end);
}

void
bulk_store(BulkLoad *load, int end)
{
	if (load->options.dry_run)
		look_at_values(load, end);
	else
		while (store_round(load, end))
			CHECK_FOR_INTERRUPTS();
	load->stored = end;
}
