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

static void
write_answer(StringInfo out, const BulkRow *row)
{
	json_literal(out, "{\"line\":");
	json_int(out, row->line);
	json_literal(out, ",\"status\":\"");
	appendStringInfoString(out, bulk_status_name(row->status));
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

static void
write_answers(const BulkLoad *load, StringInfo out)
{
	for (int i = 0; i < load->count; i++)
		write_answer(out, &load->rows[i]);
}

/*
 * bulk_load(module_key, lines, first_line, batch_key, dry_run, on_conflict, external_id, on_error, accept_language,
 * content_type, header, delimiter, columns, unknown_columns)
 */
Datum
qehs_bulk_load(PG_FUNCTION_ARGS)
{
	BulkRequest request = {
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

	if (first_line < 1)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?firstLine", "minimum", "must be at least 1");
	bulk_start(&load, &request);
	json_begin(&out);
	bulk_run_chunk(&load, lines, first_line, header);
	write_answers(&load, &out);
	bulk_finish(&load);
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
	BulkRequest request = {
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
	bulk_start(&load, &request);
	if (load.options.dry_run)
		bulk_start_seen(1);
	at += bulk_read_header(&load, at, end - at);
	initStringInfo(&out);
	while (at < end && !stopped)
	{
		const char *chunk = at;
		int64		first = line;

		for (; at < end && line - first < CSV_CHUNK_LINES && at - chunk < CSV_CHUNK_BYTES; line++)
			at = bulk_line_end(&load, at, end);
		load.count = load.stored = 0;
		bulk_run_lines(&load, chunk, at - chunk, first);
		write_answers(&load, &out);
		stopped = load.options.stop && load.count > 0 && load.rows[load.count - 1].status == BULK_FAILED;
		put_answers((ReturnSetInfo *) fcinfo->resultinfo, out.data, out.len);
		resetStringInfo(&out);
		MemoryContextReset(load.memory);
	}
	return (Datum) 0;
}
