/*
 * row.c
 *	  The statements that write qehs.record: its INSERT and UPDATE texts stand here only.
 *
 * They are made from one table of columns.  A single row goes with its audit event
 * in one statement; many rows take one statement, their events another.  The INSERT
 * of one leaves out a row whose display number is taken, an UPDATE those whose
 * version has moved on, so neither is an error.  The numbers of many rows were held
 * against the table before (record/display.c), and ON CONFLICT would cost each of
 * them a tenth of its time: there a number that another transaction brings in at the
 * same moment asks the caller to try again.
 */
#include "base/compat.h"

#include "base/source.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef enum RowColumn
{
	ROW_ID, ROW_DISPLAY_NO, ROW_CREATED_AT, ROW_VERSION, ROW_DEFINITION_VERSION, ROW_STATE, ROW_PAYLOAD, ROW_UPDATED_AT,
	ROW_DELETED_AT, ROW_DUE_AT, ROW_SEARCH, ROW_FIRST_SLOT, ROW_COUNT = ROW_FIRST_SLOT + QEHS_SLOTS
} RowColumn;

/* The columns that an UPDATE leaves as they are stand first. */
#define FIRST_CHANGED ROW_VERSION

#define SLOT_COLUMNS {"t1", TEXTOID}, {"t2", TEXTOID}, {"t3", TEXTOID}, {"t4", TEXTOID}, {"t5", TEXTOID}, {"t6", TEXTOID}, \
	{"n1", NUMERICOID}, {"n2", NUMERICOID}, {"n3", NUMERICOID}, {"n4", NUMERICOID}, \
	{"d1", TIMESTAMPTZOID}, {"d2", TIMESTAMPTZOID}, {"d3", TIMESTAMPTZOID}, {"d4", TIMESTAMPTZOID}

/* A row and its event. */
static const SourceColumns columns = {ROW_COUNT + AUDIT_COLUMN_COUNT, {
	{"id", UUIDOID}, {"display_no", INT8OID}, {"created_at", TIMESTAMPTZOID}, {"version", INT4OID}, {"definition_version", INT4OID},
	{"workflow_state", TEXTOID}, {"payload", JSONBOID}, {"updated_at", TIMESTAMPTZOID}, {"deleted_at", TIMESTAMPTZOID},
	{"due_at", TIMESTAMPTZOID}, {"search", TEXTOID}, SLOT_COLUMNS, QEHS_AUDIT_COLUMNS
}};

static SourceStatement insert_one = {NULL, AUDIT_ARGUMENT_COUNT, QEHS_AUDIT_ARGUMENT_TYPES, NULL, NULL};
static SourceStatement insert_many = {NULL, AUDIT_ARGUMENT_COUNT, QEHS_AUDIT_ARGUMENT_TYPES, NULL, NULL};
static SourceStatement update_one = {NULL, AUDIT_ARGUMENT_COUNT, QEHS_AUDIT_ARGUMENT_TYPES, NULL, NULL};
static SourceStatement update_many = {NULL, AUDIT_ARGUMENT_COUNT, QEHS_AUDIT_ARGUMENT_TYPES, NULL, NULL};
static SourceStatement refill = {NULL, AUDIT_ARGUMENT_COUNT, QEHS_AUDIT_ARGUMENT_TYPES, NULL, NULL};
static SourceStatement insert_events = {QEHS_AUDIT_INSERT "@rows", AUDIT_ARGUMENT_COUNT, QEHS_AUDIT_ARGUMENT_TYPES, NULL, NULL};

/* ---- texts ---- */

/* What a column is set to: the search text becomes words. */
static void
append_value(StringInfo sql, int column)
{
	if (column == ROW_SEARCH)
		appendStringInfo(sql, "qehs.search_vector(@%s)", columns.items[column].name);
	else
		appendStringInfo(sql, "@%s", columns.items[column].name);
}

static void
append_insert(StringInfo sql)
{
	appendStringInfoString(sql, "INSERT INTO qehs.record (tenant_id, module_id, created_by, updated_by");
	for (int i = 0; i < ROW_COUNT; i++)
		appendStringInfo(sql, ", %s", columns.items[i].name);
	appendStringInfoString(sql, ") SELECT $1, $2, $3, $3");
	for (int i = 0; i < ROW_COUNT; i++)
	{
		appendStringInfoString(sql, ", ");
		append_value(sql, i);
	}
	appendStringInfoString(sql, "@rows");
}

/* Set the columns from first on, and what begin says, in the rows of condition. */
static void
append_update(StringInfo sql, const char *begin, int first, const char *condition)
{
	appendStringInfo(sql, "UPDATE qehs.record AS t SET %s", begin);
	for (int i = first; i < ROW_COUNT; i++)
	{
		appendStringInfo(sql, "%s%s = ", i > first || *begin ? ", " : "", columns.items[i].name);
		append_value(sql, i);
	}
	appendStringInfo(sql, "@joined WHERE t.tenant_id = @tenant AND t.id = @id%s", condition);
}

/* The row's statement as the first part of one that adds the event of the row, if it was stored. */
static char *
with_event(const char *row_statement)
{
	return psprintf("WITH stored AS (%s) " QEHS_AUDIT_INSERT " FROM stored", row_statement);
}

static void
make_texts(void)
{
	MemoryContext previous;
	StringInfoData sql;

	if (refill.text)
		return;
	previous = MemoryContextSwitchTo(TopMemoryContext);
	initStringInfo(&sql);
	append_insert(&sql);
	insert_many.text = pstrdup(sql.data);
	appendStringInfoString(&sql, " ON CONFLICT (tenant_id, module_id, display_no) DO NOTHING RETURNING id");
	insert_one.text = with_event(sql.data);
	resetStringInfo(&sql);
	append_update(&sql, "updated_by = $3", FIRST_CHANGED, " AND t.version = @version - 1 RETURNING t.id");
	update_many.text = pstrdup(sql.data);
	update_one.text = with_event(sql.data);
	resetStringInfo(&sql);
	append_update(&sql, "", ROW_SEARCH, "");
	refill.text = sql.data;
	MemoryContextSwitchTo(previous);
}

/* ---- values ---- */

/* The arguments of the statements are those of the events. */
static void
set_arguments(const RequestContext *context, const ModuleDef *current, Datum *arguments, char *nulls)
{
	AuditHead	head = audit_head(context, current->module_id);

	audit_head_values(&head, arguments, nulls);
}

/* What lists look at: slots and search text, none of a deleted record; payload has the keys of current. */
static void
set_listed(const ModuleDef *current, Jsonb *payload, int64 display_no, Datum *values, bool *nulls)
{
	RecordSlots slots;
	char	   *search = payload ? record_search_text(current, payload, display_no, NIL) : NULL;

	nulls[ROW_SEARCH] = search == NULL;
	values[ROW_SEARCH] = search ? CStringGetTextDatum(search) : (Datum) 0;
	memset(&nulls[ROW_FIRST_SLOT], true, sizeof(bool) * QEHS_SLOTS);
	if (payload == NULL)
		return;
	record_slots(current, payload, &slots);
	memcpy(&values[ROW_FIRST_SLOT], slots.values, sizeof(slots.values));
	memcpy(&nulls[ROW_FIRST_SLOT], slots.isnull, sizeof(slots.isnull));
}

/* All values of a change; lists go by the current definition, whichever the record was written against. */
static void
set_values(const ModuleDef *current, const Change *change, Datum *values, bool *nulls)
{
	const Record *after = change->after;

	memset(values, 0, sizeof(Datum) * ROW_COUNT);
	memset(nulls, 0, sizeof(bool) * ROW_COUNT);
	values[ROW_ID] = UUIDPGetDatum(&after->id);
	values[ROW_DISPLAY_NO] = Int64GetDatum(after->display_no);
	values[ROW_CREATED_AT] = TimestampTzGetDatum(after->created_at);
	values[ROW_VERSION] = Int32GetDatum(after->version);
	values[ROW_DEFINITION_VERSION] = Int32GetDatum(after->definition_version);
	values[ROW_STATE] = CStringGetTextDatum(after->workflow_state);
	values[ROW_PAYLOAD] = JsonbPGetDatum(after->payload);
	values[ROW_UPDATED_AT] = TimestampTzGetDatum(after->updated_at);
	values[ROW_DELETED_AT] = TimestampTzGetDatum(after->deleted_at);
	nulls[ROW_DELETED_AT] = !after->deleted;
	values[ROW_DUE_AT] = TimestampTzGetDatum(after->due_at);
	nulls[ROW_DUE_AT] = !after->has_due;
	set_listed(current, record_current_payload(current, after), after->display_no, values, nulls);
	audit_values(&change->event, values + ROW_COUNT, nulls + ROW_COUNT);
}

/* ---- storing ---- */

/* The source of those changes whose stored flag is wanted; memory is reset after each of many. */
static Source *
make_source(const ModuleDef *current, Change **changes, int count, const bool *stored, bool wanted, int chosen)
{
	Source	   *source = source_begin(&columns, chosen);
	Datum	   *values = palloc(sizeof(Datum) * columns.count);
	bool	   *nulls = palloc(sizeof(bool) * columns.count);
	MemoryContext memory;

	memory = chosen > 1 ? AllocSetContextCreate(CurrentMemoryContext, "qehs changed row", ALLOCSET_DEFAULT_SIZES) : NULL;
	for (int i = 0; i < count; i++)
	{
		MemoryContext previous;

		if (stored[i] != wanted)
			continue;
		CHECK_FOR_INTERRUPTS();
		previous = MemoryContextSwitchTo(memory ? memory : CurrentMemoryContext);
		set_values(current, changes[i], values, nulls);
		source_put(source, values, nulls);
		MemoryContextSwitchTo(previous);
		if (memory)
			MemoryContextReset(memory);
	}
	if (memory)
		MemoryContextDelete(memory);
	return source;
}

static int
compare_ids(const void *left, const void *right)
{
	return memcmp(left, right, UUID_LEN);
}

/* Mark the changes whose ids the statement has returned; gives how many they are. */
static int
mark_stored(Change **changes, int count, uint64 returned, bool *stored)
{
	pg_uuid_t  *ids = palloc(sizeof(pg_uuid_t) * Max(returned, 1));

	for (uint64 i = 0; i < returned; i++)
	{
		bool		isnull;

		ids[i] = *DatumGetUUIDP(plan_value(i, 1, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	qsort(ids, returned, sizeof(pg_uuid_t), compare_ids);
	for (int i = 0; i < count; i++)
		stored[i] = bsearch(&changes[i]->after->id, ids, returned, sizeof(pg_uuid_t), compare_ids) != NULL;
	pfree(ids);
	return (int) returned;
}

static void
insert_rows(Source *source, const Datum *arguments, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		source_run(source, &insert_many, arguments, nulls);
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_UNIQUE_VIOLATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not number records: another transaction has brought in records of the same numbers"),
				 errhint("Try again.")));
	}
	PG_END_TRY();
}

void
change_store_rows(const RequestContext *context, const ModuleDef *current, Change **changes, int count, bool *stored)
{
	bool		is_create = changes[0]->event.before == NULL;
	Datum		arguments[AUDIT_ARGUMENT_COUNT];
	char		nulls[AUDIT_ARGUMENT_COUNT];
	Source	   *source;
	int			stored_count;

	make_texts();
	set_arguments(context, current, arguments, nulls);
	memset(stored, 0, sizeof(bool) * count);
	source = make_source(current, changes, count, stored, false, count);
	if (count == 1)
	{
		stored[0] = source_run(source, is_create ? &insert_one : &update_one, arguments, nulls) == 1;
		source_end(source);
		return;
	}
	if (is_create)
	{
		insert_rows(source, arguments, nulls);
		memset(stored, true, sizeof(bool) * count);
		stored_count = count;
	}
	else
		stored_count = mark_stored(changes, count, source_run(source, &update_many, arguments, nulls), stored);
	if (stored_count < count)
	{
		source_end(source);
		if (stored_count == 0)
			return;
		source = make_source(current, changes, count, stored, true, stored_count);
	}
	source_run(source, &insert_events, arguments, nulls);
	source_end(source);
}

void
change_store_event(const RequestContext *context, const ModuleDef *current, Change *change)
{
	Datum		arguments[AUDIT_ARGUMENT_COUNT];
	char		nulls[AUDIT_ARGUMENT_COUNT];
	bool		stored = false;
	Source	   *source;

	make_texts();
	set_arguments(context, current, arguments, nulls);
	source = make_source(current, &change, 1, &stored, false, 1);
	source_run(source, &insert_events, arguments, nulls);
	source_end(source);
}

void
change_refill_rows(const ModuleDef *current, const RefillRow *rows, int count)
{
	Datum		arguments[AUDIT_ARGUMENT_COUNT] = {Int32GetDatum(current->tenant_id)};
	Datum	   *values = palloc0(sizeof(Datum) * columns.count);
	bool	   *nulls = palloc(sizeof(bool) * columns.count);
	Source	   *source = source_begin(&columns, count);
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs refilled row", ALLOCSET_DEFAULT_SIZES);

	make_texts();
	memset(nulls, true, sizeof(bool) * columns.count);
	nulls[ROW_ID] = false;
	for (int i = 0; i < count; i++)
	{
		MemoryContext previous = MemoryContextSwitchTo(memory);

		CHECK_FOR_INTERRUPTS();
		values[ROW_ID] = UUIDPGetDatum(&rows[i].id);
		set_listed(current, rows[i].payload, rows[i].display_no, values, nulls);
		source_put(source, values, nulls);
		MemoryContextSwitchTo(previous);
		if (count > 1)
			MemoryContextReset(memory);
	}
	source_run(source, &refill, arguments, " nnnn");
	source_end(source);
	MemoryContextDelete(memory);
}
