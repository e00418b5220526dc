/*
 * bulk_load.c
 *	  qehs.bulk_load: one chunk of whole lines, from bytes to answer lines; and
 *	  qehs.bulk_load_csv: a text of CSV, chunk by chunk.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "bulk/bulk.h"
#include "common/csv.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The arguments of qehs.bulk_load. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_LINES, ARGUMENT_FIRST_LINE, ARGUMENT_BATCH_KEY, ARGUMENT_DRY_RUN, ARGUMENT_ON_CONFLICT,
	ARGUMENT_EXTERNAL_ID, ARGUMENT_ON_ERROR, ARGUMENT_ACCEPT_LANGUAGE, ARGUMENT_CONTENT_TYPE, ARGUMENT_HEADER, ARGUMENT_DELIMITER,
	ARGUMENT_COLUMNS, ARGUMENT_UNKNOWN_COLUMNS
};

/* The arguments of qehs.bulk_load_csv. */
enum
{
	CSV_ARGUMENT_MODULE_KEY, CSV_ARGUMENT_CSV, CSV_ARGUMENT_COLUMNS, CSV_ARGUMENT_DELIMITER, CSV_ARGUMENT_UNKNOWN_COLUMNS,
	CSV_ARGUMENT_BATCH_KEY, CSV_ARGUMENT_DRY_RUN, CSV_ARGUMENT_ON_CONFLICT, CSV_ARGUMENT_EXTERNAL_ID, CSV_ARGUMENT_ON_ERROR
};

PG_FUNCTION_INFO_V1(qehs_bulk_load);
PG_FUNCTION_INFO_V1(qehs_bulk_load_csv);

/* A chunk of bulk_load_csv. */
#define CSV_CHUNK_LINES 1000
#define CSV_CHUNK_BYTES (1024 * 1024)

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

/* Behind the line end of the line at text; a row of CSV may have such in quotes. */
static const char *
record_end(const BulkLoad *load, const char *text, const char *end)
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
		const char *next = record_end(load, text, end);
		int			size = line_length(text, next - text);

		if (!is_blank(text, size))
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

/* What both functions take. */
typedef struct LoadArguments
{
	char	   *module_key;
	char	   *batch_key;
	bool		dry_run;
	char	   *on_conflict;
	char	   *external_id;
	char	   *on_error;
	char	   *accept_language;
	char	   *content_type;
	char	   *delimiter;
	Jsonb	   *columns;
	char	   *unknown_columns;
} LoadArguments;

static void
read_options(BulkLoad *load, const LoadArguments *arguments)
{
	bulk_read_options(load->module, arguments->on_conflict, arguments->external_id, arguments->on_error, &load->options);
	bulk_read_csv_options(arguments->content_type, arguments->delimiter, arguments->columns, arguments->unknown_columns, &load->options);
}

/* Check arguments, start a load, hold the slot map, and take the module as it is then. */
static void
start_load(BulkLoad *load, const LoadArguments *arguments)
{
	const char *batch_key = arguments->batch_key;

	load->context = context_require_scope(SCOPE_RECORDS_WRITE);
	load->module = bulk_find_module(load->context, arguments->module_key);
	load->options.dry_run = arguments->dry_run;
	read_options(load, arguments);
	bulk_require_actions(load->context, load->module, &load->options);
	if (batch_key && (*batch_key == '\0' || strlen(batch_key) > QEHS_BULK_KEY_BYTES))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "@Idempotency-Key", "length", "must have 1 to 255 characters");
	load->batch_key = batch_key;
	load->accept_language = arguments->accept_language;
	load->now = clock_transaction();
	load->memory = AllocSetContextCreate(CurrentMemoryContext, "qehs bulk chunk", ALLOCSET_DEFAULT_SIZES);
	load->line_memory = AllocSetContextCreate(CurrentMemoryContext, "qehs bulk line", ALLOCSET_DEFAULT_SIZES);
	if (load->context->time_limit > 0)
		deadline_start(load->context->time_limit);
	module_hold_slots(load->context->tenant_id, load->module->module_id);
	load->module = module_lookup(load->context->tenant_id, load->module->key);
	load->may_set_state = permission_may(load->context, load->module, ACTION_BULK_STATE, NULL, NULL);
	read_options(load, arguments);
}

/* Load whole lines, of which the first is number first_line, and append their answers. */
static void
load_chunk(BulkLoad *load, const char *text, int length, int64 first_line, StringInfo out)
{
	record_remember_ids(load->memory);
	split_lines(load, text, length, first_line);
	SPI_connect();
	find_known(load);
	run_lines(load);
	SPI_finish();
	for (int i = 0; i < load->count; i++)
		write_answer(out, &load->rows[i]);
}

/* Read the header of CSV; raises QH400 with all that is wrong with it.  Returns how many bytes it has with its line end. */
static int
read_header(BulkLoad *load, const char *text, int length)
{
	ViolationList faults = {0};
	int			mark = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	int			size = record_end(load, text + mark, text + length) - (text + mark);

	load->header = csv_read_header(load->module, &load->options.csv, text + mark, line_length(text + mark, size), &faults);
	violation_raise(&faults);
	return mark + size;
}

/*
 * bulk_load(module_key, lines, first_line, batch_key, dry_run, on_conflict, external_id, on_error, accept_language,
 * content_type, header, delimiter, columns, unknown_columns)
 */
Datum
qehs_bulk_load(PG_FUNCTION_ARGS)
{
	LoadArguments arguments = {
		.module_key = argument_text(fcinfo, ARGUMENT_MODULE_KEY),
		.batch_key = argument_text(fcinfo, ARGUMENT_BATCH_KEY),
		.dry_run = !PG_ARGISNULL(ARGUMENT_DRY_RUN) && PG_GETARG_BOOL(ARGUMENT_DRY_RUN),
		.on_conflict = argument_text(fcinfo, ARGUMENT_ON_CONFLICT),
		.external_id = argument_text(fcinfo, ARGUMENT_EXTERNAL_ID),
		.on_error = argument_text(fcinfo, ARGUMENT_ON_ERROR),
		.accept_language = argument_text(fcinfo, ARGUMENT_ACCEPT_LANGUAGE),
		.content_type = argument_text(fcinfo, ARGUMENT_CONTENT_TYPE),
		.delimiter = argument_text(fcinfo, ARGUMENT_DELIMITER),
		.columns = PG_ARGISNULL(ARGUMENT_COLUMNS) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_COLUMNS),
		.unknown_columns = argument_text(fcinfo, ARGUMENT_UNKNOWN_COLUMNS),
	};
	int64		first_line = PG_ARGISNULL(ARGUMENT_FIRST_LINE) ? 1 : PG_GETARG_INT64(ARGUMENT_FIRST_LINE);
	bytea	   *lines = PG_ARGISNULL(ARGUMENT_LINES) ? NULL : PG_GETARG_BYTEA_PP(ARGUMENT_LINES);
	bytea	   *header = PG_ARGISNULL(ARGUMENT_HEADER) ? NULL : PG_GETARG_BYTEA_PP(ARGUMENT_HEADER);
	BulkLoad	load = {0};
	StringInfoData out;
	int			skip = 0;

	if (first_line < 1)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?firstLine", "minimum", "must be at least 1");
	start_load(&load, &arguments);
	json_begin(&out);
	if (load.options.dry_run)
		bulk_start_seen(first_line);
	if (load.options.is_csv && first_line > 1 && header == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?header", "required", "is required behind the first line");
	if (load.options.is_csv && first_line > 1)
		read_header(&load, VARDATA_ANY(header), VARSIZE_ANY_EXHDR(header));
	else if (load.options.is_csv && lines)
		skip = read_header(&load, VARDATA_ANY(lines), VARSIZE_ANY_EXHDR(lines));
	if (lines)
		load_chunk(&load, VARDATA_ANY(lines) + skip, VARSIZE_ANY_EXHDR(lines) - skip, skip > 0 ? 2 : first_line, &out);
	MemoryContextDelete(load.line_memory);
	MemoryContextDelete(load.memory);
	PG_RETURN_DATUM(json_datum(&out));
}

/* Hand answer lines on as rows. */
static void
put_answers(ReturnSetInfo *result, const char *text, int length)
{
	while (length > 0)
	{
		const char *newline = memchr(text, '\n', length);
		int			size = newline - text;
		Datum		value = PointerGetDatum(cstring_to_text_with_len(text, size));
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
		pfree(DatumGetPointer(value));
		text += size + 1;
		length -= size + 1;
	}
}

/* bulk_load_csv(module_key, csv, columns, delimiter, unknown_columns, batch_key, dry_run, on_conflict, external_id, on_error) */
Datum
qehs_bulk_load_csv(PG_FUNCTION_ARGS)
{
	LoadArguments arguments = {
		.module_key = argument_text(fcinfo, CSV_ARGUMENT_MODULE_KEY),
		.batch_key = argument_text(fcinfo, CSV_ARGUMENT_BATCH_KEY),
		.dry_run = !PG_ARGISNULL(CSV_ARGUMENT_DRY_RUN) && PG_GETARG_BOOL(CSV_ARGUMENT_DRY_RUN),
		.on_conflict = argument_text(fcinfo, CSV_ARGUMENT_ON_CONFLICT),
		.external_id = argument_text(fcinfo, CSV_ARGUMENT_EXTERNAL_ID),
		.on_error = argument_text(fcinfo, CSV_ARGUMENT_ON_ERROR),
		.content_type = "text/csv",
		.delimiter = argument_text(fcinfo, CSV_ARGUMENT_DELIMITER),
		.columns = PG_ARGISNULL(CSV_ARGUMENT_COLUMNS) ? NULL : PG_GETARG_JSONB_P(CSV_ARGUMENT_COLUMNS),
		.unknown_columns = argument_text(fcinfo, CSV_ARGUMENT_UNKNOWN_COLUMNS),
	};
	text	   *csv = PG_ARGISNULL(CSV_ARGUMENT_CSV) ? cstring_to_text("") : PG_GETARG_TEXT_PP(CSV_ARGUMENT_CSV);
	const char *at = VARDATA_ANY(csv);
	const char *end = at + VARSIZE_ANY_EXHDR(csv);
	int64		line = 2;
	bool		stopped = false;
	BulkLoad	load = {0};
	StringInfoData out;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	start_load(&load, &arguments);
	if (load.options.dry_run)
		bulk_start_seen(1);
	at += read_header(&load, at, end - at);
	initStringInfo(&out);
	while (at < end && !stopped)
	{
		const char *chunk = at;
		int64		first = line;

		for (; at < end && line - first < CSV_CHUNK_LINES && at - chunk < CSV_CHUNK_BYTES; line++)
			at = record_end(&load, at, end);
		load.count = load.stored = 0;
		load_chunk(&load, chunk, at - chunk, first, &out);
		stopped = load.options.stop && load.count > 0 && load.rows[load.count - 1].status == BULK_FAILED;
		put_answers((ReturnSetInfo *) fcinfo->resultinfo, out.data, out.len);
		resetStringInfo(&out);
		MemoryContextReset(load.memory);
	}
	return (Datum) 0;
}
