/*
 * bulk_job.c
 *	  qehs.bulk_job_load and qehs.bulk_job_end: a load that a worker of the shim runs for
 *	  a caller that does not wait (operation/bulk_queue.c has queued it).
 *
 * What a chunk loads and how far the job is commit together, in the transaction of
 * the worker: a worker that was killed, or has lost its lease, has loaded no line
 * that its successor loads again.  A load that is one transaction keeps nothing in
 * between; its row stays free for the heartbeat.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "bulk/bulk.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "job/job.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* The arguments of qehs.bulk_job_load. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_JOB_ID, ARGUMENT_WORKER, ARGUMENT_LINES, ARGUMENT_FIRST_LINE, ARGUMENT_LAST_LINE,
	ARGUMENT_HEADER, ARGUMENT_LONG_LINE, ARGUMENT_LINE_LIMIT, ARGUMENT_SO_FAR
};

/* The argument of qehs.bulk_job_end behind tenant, job_id and worker. */
#define END_SO_FAR 3

PG_FUNCTION_INFO_V1(qehs_bulk_job_load);
PG_FUNCTION_INFO_V1(qehs_bulk_job_end);

/* Lines that failed, as the result tells them. */
#define MOST_ERRORS 100
#define MOST_ERROR_BYTES (64 * 1024)

/* As the endpoint has it. */
#define CHUNK_MILLISECONDS 60000

static KeptPlan keep_position = {
	"UPDATE qehs.job SET position = $4, attempts = 1, error = NULL WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND state = 'running'",
	4, {INT4OID, UUIDOID, TEXTOID, JSONBOID}, NULL
};
static KeptPlan finish = {
	"SELECT qehs.job_finish($1, $2, $3, $4, $5)", 5, {TEXTOID, TEXTOID, TEXTOID, JSONBOID, INT8OID}, NULL
};
static KeptPlan fail = {
	"SELECT qehs.job_fail($1, $2, $3, $4, false)", 4, {TEXTOID, TEXTOID, TEXTOID, JSONBOID}, NULL
};

/* How far a load is. */
typedef struct Progress
{
	int64		line;			/* the last one that is settled */
	int64		counts[BULK_FAILED + 1];	/* by BulkStatus */
	int			error_count;
	StringInfoData errors;		/* JSON objects, comma-separated */
} Progress;

/* ---- reading and writing it ---- */

static int64
number_member(const JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (!json_member(object, name, strlen(name), &value) || value.type != jbvNumeric)
		return 0;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
}

/* An object or array in an object; NULL when it is not there. */
static const JsonbContainer *
container_member(const JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return object && json_member(object, name, strlen(name), &value) && value.type == jbvBinary ? value.val.binary.data : NULL;
}

static void
read_progress(const Jsonb *so_far, Progress *progress)
{
	const JsonbContainer *result = so_far && JB_ROOT_IS_OBJECT(so_far) ? container_member(&so_far->root, "result") : NULL;
	const JsonbContainer *summary = container_member(result, "summary");
	const JsonbContainer *errors = container_member(result, "errors");

	*progress = (Progress) {0};
	initStringInfo(&progress->errors);
	if (summary == NULL)
		return;
	progress->line = number_member(&so_far->root, "line");
	for (int status = BULK_CREATED; status <= BULK_FAILED; status++)
		progress->counts[status] = number_member(summary, bulk_status_name(status));
	if (errors == NULL || JsonContainerSize(errors) == 0)
		return;
	progress->error_count = JsonContainerSize(errors);
	json_container(&progress->errors, errors);
	/* without its brackets */
	progress->errors.data[--progress->errors.len] = '\0';
	progress->errors.data[0] = ' ';
}

/* A line that failed; errors is {"errors":[…]}. */
static void
add_failure(Progress *progress, int64 line, const char *errors)
{
	progress->counts[BULK_FAILED]++;
	/* those that are told are the first: behind one for which there was no room none is */
	if (progress->error_count >= MOST_ERRORS || progress->error_count + 1 < progress->counts[BULK_FAILED] ||
		progress->errors.len + strlen(errors) > MOST_ERROR_BYTES)
		return;
	appendStringInfo(&progress->errors, "%s{\"line\":" INT64_FORMAT ",\"status\":\"failed\",%s", progress->error_count++ > 0 ? "," : "", line, errors + 1);
}

static int64
count_lines(const Progress *progress)
{
	int64		lines = 0;

	for (int status = BULK_CREATED; status <= BULK_FAILED; status++)
		lines += progress->counts[status];
	return lines;
}

/* The members of a summary are those of a synchronous load; what was rolled back is not counted. */
static void
write_result(StringInfo out, const Progress *progress, const BulkRequest *request, bool undone, TimestampTz started_at)
{
	const int64 *counts = progress->counts;

	appendStringInfo(out, "{\"summary\":{\"lines\":" INT64_FORMAT ",\"created\":" INT64_FORMAT, count_lines(progress), undone ? 0 : counts[BULK_CREATED]);
	if (request->on_conflict)
		appendStringInfo(out, ",\"updated\":" INT64_FORMAT, undone ? 0 : counts[BULK_UPDATED]);
	if (request->dry_run)
		appendStringInfo(out, ",\"valid\":" INT64_FORMAT, counts[BULK_VALID]);
	appendStringInfo(out, ",\"replayed\":" INT64_FORMAT ",\"failed\":" INT64_FORMAT ",\"durationMs\":" INT64_FORMAT "}",
					 counts[BULK_REPLAYED], counts[BULK_FAILED], (int64) TimestampDifferenceMilliseconds(started_at, clock_now()));
	appendStringInfo(out, ",\"errors\":[%s],\"errorsOmitted\":" INT64_FORMAT "}", progress->errors.data, counts[BULK_FAILED] - progress->error_count);
}

static Jsonb *
make_jsonb(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* ---- a chunk ---- */

/* The request that queued the job. */
static void
read_request(const Jsonb *arguments, BulkRequest *request)
{
	const JsonbContainer *root = &arguments->root;
	JsonbValue	columns;

	*request = (BulkRequest) {
		.module_key = json_member_text(root, "moduleKey"),
		.mode = json_member_text(root, "mode"),
		.dry_run = json_member_bool(root, "dryRun", false),
		.on_conflict = json_member_text(root, "onConflict"),
		.external_id = json_member_text(root, "externalId"),
		.on_error = json_member_text(root, "onError"),
		.accept_language = json_member_text(root, "acceptLanguage"),
		.content_type = json_member_text(root, "contentType"),
		.delimiter = json_member_text(root, "delimiter"),
		.unknown_columns = json_member_text(root, "unknownColumns"),
		.batch_key = json_member_text(root, "batchKey"),
	};
	if (json_member(root, "columns", strlen("columns"), &columns))
		request->columns = json_value_to_jsonb(&columns);
}

/* Act as the caller of the job that the worker holds. */
static void
enter(FunctionCallInfo fcinfo, HeldJob *job, BulkRequest *request)
{
	job_enter(fcinfo, job);
	if (job->cancelled)
		problem_raise(PROBLEM_CONFLICT, "Call job_fail.", "the job is to be cancelled");
	/* a chunk that waits longer, for locks of others, is tried again later */
	job->context->time_limit = CHUNK_MILLISECONDS;
	read_request(job->arguments, request);
}

static void
take_rows(const BulkLoad *load, Progress *progress)
{
	for (int i = 0; i < load->count; i++)
	{
		const BulkRow *row = &load->rows[i];

		if (row->status == BULK_FAILED)
			add_failure(progress, row->line, row->errors);
		else
			progress->counts[row->status]++;
	}
}

static bool
is_stopped(const Progress *progress, const BulkLoad *load)
{
	return load->options.stop && progress->counts[BULK_FAILED] > 0;
}

/* The line behind the chunk that is too long to be sent. */
static void
take_long_line(FunctionCallInfo fcinfo, const BulkLoad *load, Progress *progress)
{
	if (PG_ARGISNULL(ARGUMENT_LONG_LINE) || is_stopped(progress, load))
		return;
	add_failure(progress, PG_GETARG_INT64(ARGUMENT_LONG_LINE),
				psprintf("{\"errors\":[{\"path\":\"\",\"code\":\"payload_too_large\",\"message\":\"must be at most " INT64_FORMAT " bytes long\"}]}",
						 PG_ARGISNULL(ARGUMENT_LINE_LIMIT) ? 0 : PG_GETARG_INT64(ARGUMENT_LINE_LIMIT)));
	progress->line = Max(progress->line, PG_GETARG_INT64(ARGUMENT_LONG_LINE));
}

/* Keep it with the job, whose worker may have lost it meanwhile. */
static void
keep(FunctionCallInfo fcinfo, const HeldJob *job, const char *position)
{
	pg_uuid_t	id;
	Datum		values[4] = {Int32GetDatum(job->context->tenant_id), UUIDPGetDatum(&id), PG_GETARG_DATUM(ARGUMENT_WORKER),
		JsonbPGetDatum(make_jsonb(position))};

	argument_id(fcinfo, ARGUMENT_JOB_ID, QEHS_ID_JOB, &id);
	SPI_connect();
	if (plan_execute(&keep_position, values, NULL, false, 0) == 0)
		problem_raise(PROBLEM_CONFLICT, "Give it up: another worker has it now, or it has ended.", "the worker does not hold the job");
	SPI_finish();
}

/* bulk_job_load(tenant, job_id, worker, lines, first_line, last_line, header, long_line, line_limit, so_far) */
Datum
qehs_bulk_job_load(PG_FUNCTION_ARGS)
{
	HeldJob		job;
	BulkRequest request;
	BulkLoad	load = {0};
	Progress	progress;
	StringInfoData out;
	bool		undo;

	enter(fcinfo, &job, &request);
	read_progress(PG_ARGISNULL(ARGUMENT_SO_FAR) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_SO_FAR), &progress);
	bulk_start(&load, &request);
	bulk_run_chunk(&load, PG_ARGISNULL(ARGUMENT_LINES) ? NULL : PG_GETARG_BYTEA_PP(ARGUMENT_LINES),
				   PG_ARGISNULL(ARGUMENT_FIRST_LINE) ? 1 : PG_GETARG_INT64(ARGUMENT_FIRST_LINE),
				   PG_ARGISNULL(ARGUMENT_HEADER) ? NULL : PG_GETARG_BYTEA_PP(ARGUMENT_HEADER));
	take_rows(&load, &progress);
	if (!PG_ARGISNULL(ARGUMENT_LAST_LINE))
		progress.line = Max(progress.line, PG_GETARG_INT64(ARGUMENT_LAST_LINE));
	take_long_line(fcinfo, &load, &progress);
	undo = bulk_is_atomic(&request) && progress.counts[BULK_FAILED] > 0;
	initStringInfo(&out);
	appendStringInfo(&out, "{\"line\":" INT64_FORMAT ",\"stopped\":%s,\"undo\":%s,\"result\":", progress.line,
					 is_stopped(&progress, &load) ? "true" : "false", undo ? "true" : "false");
	write_result(&out, &progress, &request, false, job.started_at);
	appendStringInfoChar(&out, '}');
	bulk_finish(&load);
	if (!json_member_bool(&job.arguments->root, "transaction", false))
		keep(fcinfo, &job, out.data);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* ---- the end ---- */

/* bulk_job_end(tenant, job_id, worker, so_far): the state that the job has then. */
Datum
qehs_bulk_job_end(PG_FUNCTION_ARGS)
{
	HeldJob		job;
	BulkRequest request;
	Progress	progress;
	StringInfoData result;
	Datum		values[5] = {PG_GETARG_DATUM(ARGUMENT_TENANT), PG_GETARG_DATUM(ARGUMENT_JOB_ID), PG_GETARG_DATUM(ARGUMENT_WORKER)};
	bool		undone;

	enter(fcinfo, &job, &request);
	read_progress(PG_ARGISNULL(END_SO_FAR) ? NULL : PG_GETARG_JSONB_P(END_SO_FAR), &progress);
	undone = bulk_is_atomic(&request) && progress.counts[BULK_FAILED] > 0;
	initStringInfo(&result);
	write_result(&result, &progress, &request, undone, job.started_at);
	if (undone)
	{
		keep(fcinfo, &job, psprintf("{\"result\":%s}", result.data));
		values[3] = JsonbPGetDatum(make_jsonb(psprintf("{\"code\":\"validation_failed\",\"detail\":\"of " INT64_FORMAT " lines " INT64_FORMAT
													   " failed, so that none is loaded\"}", count_lines(&progress), progress.counts[BULK_FAILED])));
	}
	else
		values[3] = JsonbPGetDatum(make_jsonb(result.data));
	values[4] = Int64GetDatum(progress.counts[BULK_CREATED] + progress.counts[BULK_UPDATED]);
	SPI_connect();
	plan_execute(undone ? &fail : &finish, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(undone ? "failed" : "succeeded"));
}
