/*
 * chunk.c
 *	  One chunk of whole lines, from bytes to settled rows; inside the transaction of
 *	  its caller, who writes the answer (operation/bulk_load.c, operation/bulk_job.c).
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/plan.h"
#include "bulk/bulk.h"
#include "common/csv.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static const char *const status_names[] = {
	[BULK_CREATED] = "created",
	[BULK_UPDATED] = "updated",
	[BULK_REPLAYED] = "replayed",
	[BULK_VALID] = "valid",
	[BULK_FAILED] = "failed",
};

const char *
bulk_status_name(BulkStatus status)
{
	return status_names[status];
}

/* ---- lines ---- */

/* Whether a line has nothing, a row of CSV in any of its cells. */
static bool
is_blank(const BulkLoad *load, const char *text, int length)
{
	for (int i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t' && !(load->options.is_csv && text[i] == load->options.csv.delimiter))
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

const char *
bulk_line_end(const BulkLoad *load, const char *text, const char *end)
{
	CsvState	state = CSV_BEGIN;
	const char *newline;

	if (!load->options.is_csv)
	{
		newline = memchr(text, '\n', end - text);
		return newline ? newline + 1 : end;
	}
	while (text < end)
	{
		char		byte = *text++;

		state = csv_step(state, byte, load->options.csv.delimiter);
		if (csv_ends_record(state, byte))
			break;
	}
	return text;
}

/* The length of a line without its end. */
static int
line_length(const char *text, int length)
{
	if (length > 0 && text[length - 1] == '\n')
		length--;
	return length > 0 && text[length - 1] == '\r' ? length - 1 : length;
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
		const char *next = bulk_line_end(load, text, end);
		int			size = line_length(text, next - text);

		if (!is_blank(load, text, size))
			load->rows[load->count++] = (BulkRow) {.line = line, .text = text, .length = size};
		text = next;
	}
}

/* ---- keys and external ids, for the whole chunk before any line is checked ---- */

/* The line's own key or the batch's, and what must be the same when it comes again. */
static void
set_key(BulkLoad *load, BulkRow *row)
{
	if (bulk_has_own_key(load, row) || load->options.upsert)
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
											   (uint64) load->module->module_id ^ (load->header ? load->header->fingerprint : 0));
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
	return load->module->unique_count > (load->options.external ? 1 : 0);
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

/* ---- a load and its chunks ---- */

static void
read_options(BulkLoad *load, const BulkRequest *request)
{
	bulk_read_options(load->module, request->on_conflict, request->external_id, request->on_error, &load->options);
	bulk_read_csv_options(request->content_type, request->delimiter, request->columns, request->unknown_columns, &load->options);
}

void
bulk_start(BulkLoad *load, const BulkRequest *request)
{
	load->context = context_require_scope(SCOPE_RECORDS_WRITE);
	load->module = bulk_find_module(load->context, request->module_key);
	load->options.dry_run = request->dry_run;
	read_options(load, request);
	bulk_require_actions(load->context, load->module, &load->options);
	bulk_check_batch_key(request->batch_key);
	load->batch_key = request->batch_key;
	load->accept_language = request->accept_language;
	load->now = clock_transaction();
	load->memory = AllocSetContextCreate(CurrentMemoryContext, "qehs bulk chunk", ALLOCSET_DEFAULT_SIZES);
	load->line_memory = AllocSetContextCreate(CurrentMemoryContext, "qehs bulk line", ALLOCSET_DEFAULT_SIZES);
	if (load->context->time_limit > 0)
		deadline_start(load->context->time_limit);
	module_hold_slots(load->context->tenant_id, load->module->module_id);
	load->module = module_lookup(load->context->tenant_id, load->module->key);
	load->may_set_state = permission_may(load->context, load->module, ACTION_BULK_STATE, NULL, NULL);
	read_options(load, request);
}

/* Read the header of CSV; raises QH400 with all that is wrong with it.  Returns how many bytes it has with its line end. */
int
bulk_read_header(BulkLoad *load, const char *text, int length)
{
	ViolationList faults = {0};
	int			mark = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	int			size = bulk_line_end(load, text + mark, text + length) - (text + mark);

	load->header = csv_read_header(load->module, &load->options.csv, text + mark, line_length(text + mark, size), &faults);
	violation_raise(&faults);
	return mark + size;
}

void
bulk_run_lines(BulkLoad *load, const char *text, int length, int64 first_line)
{
	record_remember_ids(load->memory);
	split_lines(load, text, length, first_line);
	SPI_connect();
	find_known(load);
	run_lines(load);
	SPI_finish();
}

void
bulk_run_chunk(BulkLoad *load, const bytea *lines, int64 first_line, const bytea *header)
{
	int			skip = 0;

	if (load->options.dry_run)
		bulk_start_seen(first_line);
	if (load->options.is_csv && first_line > 1 && header == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?header", "required", "is required behind the first line");
	if (load->options.is_csv && first_line > 1)
		bulk_read_header(load, VARDATA_ANY(header), VARSIZE_ANY_EXHDR(header));
	else if (load->options.is_csv && lines)
		skip = bulk_read_header(load, VARDATA_ANY(lines), VARSIZE_ANY_EXHDR(lines));
	if (lines)
		bulk_run_lines(load, VARDATA_ANY(lines) + skip, VARSIZE_ANY_EXHDR(lines) - skip, skip > 0 ? 2 : first_line);
}

void
bulk_finish(BulkLoad *load)
{
	MemoryContextDelete(load->line_memory);
	MemoryContextDelete(load->memory);
}
