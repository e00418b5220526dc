/*
 * bulk_load.c
 *	  qehs.bulk_load: one chunk of whole lines, from bytes to answer lines.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "bulk/bulk.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_bulk_load);

static const char *const status_names[] = {
	[BULK_CREATED] = "created",
	[BULK_UPDATED] = "updated",
	[BULK_REPLAYED] = "replayed",
	[BULK_VALID] = "valid",
	[BULK_FAILED] = "failed",
};

/* ---- lines ---- */

static bool
is_blank(const char *text, int length)
{
	for (int i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t')
			return false;
	return true;
}

static int
count_lines(const char *text, const char *end)
{
	int			count = 1;

	while (text < end && (text = memchr(text, '\n', end - text)) != NULL)
	{
		text++;
		count++;
	}
	return count;
}

/* Rows of the lines that are not empty; empty ones count in the numbering. */
static void
split_lines(BulkLoad *load, const char *text, int length, int64 line)
{
	const char *end = text + length;

	if (line == 1 && length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	load->rows = MemoryContextAllocHuge(load->memory, sizeof(BulkRow) * count_lines(text, end));
	for (; text < end; line++)
	{
		const char *newline = memchr(text, '\n', end - text);
		int			size = (newline ? newline : end) - text;

		if (size > 0 && text[size - 1] == '\r')
			size--;
		if (!is_blank(text, size))
			load->rows[load->count++] = (BulkRow) {.line = line, .text = text, .length = size};
		text = newline ? newline + 1 : end;
	}
}

/* ---- keys and external ids, for the whole chunk before any line is checked ---- */

/* The line's own key or the batch's, and what must be the same when it comes again. */
static void
set_key(BulkLoad *load, BulkRow *row)
{
	if (bulk_has_own_key(row) || load->options.upsert)
		bulk_parse_ahead(load, row);
	if (row->status == BULK_FAILED)
		return;
	if (row->key == NULL && load->batch_key)
	{
		MemoryContext previous = MemoryContextSwitchTo(load->memory);

		row->key = psprintf("%s#" INT64_FORMAT, load->batch_key, row->line);
		MemoryContextSwitchTo(previous);
	}
	if (row->key)
		row->fingerprint = hash_bytes_extended((const unsigned char *) row->text, row->length,
											   (uint64) load->module->module_id);
}

static int
compare_externals(const void *left, const void *right)
{
	const BulkRow *a = *(BulkRow *const *) left;
	const BulkRow *b = *(BulkRow *const *) right;
	int			order = strcmp(a->external, b->external);

	return order ? order : a->line < b->line ? -1 : 1;
}

/* Find out which records the lines of an upsert are about. */
static void
find_externals(BulkLoad *load, BulkRow **rows)
{
	int			count = 0;

	for (int i = 0; i < load->count; i++)
		if (load->rows[i].status == BULK_WAITING && load->rows[i].external)
			rows[count++] = &load->rows[i];
	bulk_find_existing(load, rows, count);
	if (!load->options.dry_run)
		bulk_lock_existing(load, rows, count);
	qsort(rows, count, sizeof(BulkRow *), compare_externals);
	for (int i = 1; i < count; i++)
		if (strcmp(rows[i - 1]->external, rows[i]->external) == 0)
			rows[i]->twin = rows[i - 1];
}

static void
find_known(BulkLoad *load)
{
	BulkRow   **rows = palloc(sizeof(BulkRow *) * Max(load->count, 1));
	int			count = 0;

	for (int i = 0; i < load->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		set_key(load, &load->rows[i]);
		if (load->rows[i].status == BULK_WAITING && load->rows[i].key)
			rows[count++] = &load->rows[i];
	}
	bulk_find_replays(load, rows, count);
	/* so that all records and users that the lines name are looked up at once */
	for (int i = 0; i < load->count && load->module->has_references; i++)
		if (load->rows[i].status == BULK_WAITING && load->rows[i].parsed == NULL)
			bulk_parse_ahead(load, &load->rows[i]);
	if (load->options.upsert)
		find_externals(load, rows);
}

/* ---- the lines in their order ---- */

/* A twin: what an earlier line of the chunk is about to create must be there first. */
static void
store_before_twin(BulkLoad *load, int index)
{
	BulkRow    *row = &load->rows[index];

	if (row->to_update)
		return;
	bulk_store(load, index);
	bulk_find_existing(load, &row, 1);
}

/* Whether lines may clash by another value than the external id. */
static bool
has_other_unique(const BulkLoad *load)
{
	for (int i = 0; i < load->module->field_count; i++)
		if (load->module->fields[i].unique && &load->module->fields[i] != load->options.external)
			return true;
	return false;
}

static void
run_lines(BulkLoad *load)
{
	for (int i = 0; i < load->count; i++)
	{
		BulkRow    *row = &load->rows[i];

		CHECK_FOR_INTERRUPTS();
		if (row->status == BULK_WAITING && row->twin)
			store_before_twin(load, i);
		if (row->status == BULK_WAITING && i < load->count)
			bulk_check_line(load, row);
		if (row->status == BULK_WAITING && row->to_update)
		{
			/* so that nothing behind a failure is stored, and of two lines with one value the first has it */
			if (load->options.stop || has_other_unique(load))
				bulk_store(load, i);
			if (i < load->count)
				bulk_update(load, row);
		}
		if (row->status == BULK_FAILED && load->options.stop && i < load->count)
			load->count = i + 1;
	}
	bulk_store(load, load->count);
}

static void
write_answer(StringInfo out, const BulkRow *row)
{
	json_literal(out, "{\"line\":");
	json_int(out, row->line);
	json_literal(out, ",\"status\":\"");
	appendStringInfoString(out, status_names[row->status]);
	appendStringInfoCharMacro(out, '"');
	if (row->status == BULK_FAILED)
	{
		appendStringInfoCharMacro(out, ',');
		/* its first brace was written above */
		appendStringInfoString(out, row->errors + 1);
	}
	else if (row->status != BULK_VALID)
	{
		json_literal(out, ",\"id\":");
		json_id(out, &row->id, QEHS_ID_RECORD);
		appendStringInfoCharMacro(out, '}');
	}
	else
		appendStringInfoCharMacro(out, '}');
	appendStringInfoCharMacro(out, '\n');
}

/* Check arguments that are no option, and start a load. */
static void
start_load(FunctionCallInfo fcinfo, BulkLoad *load)
{
	char	   *batch_key = argument_text(fcinfo, 3);

	load->context = context_require_scope(SCOPE_RECORDS_WRITE);
	load->module = bulk_find_module(load->context, argument_text(fcinfo, 0));
	load->options.dry_run = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	bulk_read_options(load->module, argument_text(fcinfo, 5), argument_text(fcinfo, 6), argument_text(fcinfo, 7), &load->options);
	bulk_require_actions(load->context, load->module, &load->options);
	if (!PG_ARGISNULL(2) && PG_GETARG_INT64(2) < 1)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?firstLine", "minimum", "must be at least 1");
	if (batch_key && (*batch_key == '\0' || strlen(batch_key) > QEHS_BULK_KEY_BYTES))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "@Idempotency-Key", "length", "must have 1 to 255 characters");
	load->batch_key = batch_key;
	load->accept_language = argument_text(fcinfo, 8);
	load->now = clock_transaction();
	load->memory = AllocSetContextCreate(CurrentMemoryContext, "qehs bulk chunk", ALLOCSET_DEFAULT_SIZES);
	load->line_memory = AllocSetContextCreate(load->memory, "qehs bulk line", ALLOCSET_DEFAULT_SIZES);
	record_remember_ids(load->memory);
}

/* Hold the slot map, and take the module as it is then. */
static void
hold_module(BulkLoad *load, FunctionCallInfo fcinfo)
{
	module_hold_slots(load->context->tenant_id, load->module->module_id);
	load->module = module_lookup(load->context->tenant_id, load->module->key);
	load->may_set_state = permission_may(load->context, load->module, ACTION_BULK_STATE, NULL, NULL);
	bulk_read_options(load->module, argument_text(fcinfo, 5), argument_text(fcinfo, 6), argument_text(fcinfo, 7), &load->options);
}

/* bulk_load(module_key, lines, first_line, batch_key, dry_run, on_conflict, external_id, on_error, accept_language) */
Datum
qehs_bulk_load(PG_FUNCTION_ARGS)
{
	BulkLoad	load = {0};
	StringInfoData out;
	bytea	   *lines = PG_ARGISNULL(1) ? NULL : PG_GETARG_BYTEA_PP(1);

	start_load(fcinfo, &load);
	if (load.context->time_limit > 0)
		deadline_start(load.context->time_limit);
	hold_module(&load, fcinfo);
	json_begin(&out);
	if (lines)
		split_lines(&load, VARDATA_ANY(lines), VARSIZE_ANY_EXHDR(lines), PG_ARGISNULL(2) ? 1 : PG_GETARG_INT64(2));
	if (load.options.dry_run)
		bulk_start_seen(PG_ARGISNULL(2) ? 1 : PG_GETARG_INT64(2));
	SPI_connect();
	find_known(&load);
	run_lines(&load);
	SPI_finish();
	for (int i = 0; i < load.count; i++)
		write_answer(&out, &load.rows[i]);
	MemoryContextDelete(load.memory);
	PG_RETURN_DATUM(json_datum(&out));
}
