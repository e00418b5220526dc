/*
 * bulk_queue.c
 *	  qehs.bulk_announce and qehs.bulk_queue: a load whose body is kept in the object
 *	  store until a worker loads it (Prefer: respond-async, RFC 7240).
 *
 * The object is on the list of those to be removed, for a day later, before its
 * first byte comes; queueing the job takes it off.  So what a crash or a refusal
 * leaves behind is collected as all else is, and no row says that a body is there
 * which is not.
 */
#include "base/compat.h"

#include "attachment/quota.h"
#include "attachment/signed_url.h"
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

/* The arguments behind those of bulk_begin. */
enum
{
	ANNOUNCE_STORAGE = 11
};

enum
{
	QUEUE_CONTENT_ENCODING = 11, QUEUE_BATCH_KEY, QUEUE_JOB_ID, QUEUE_SIZE_BYTES
};

PG_FUNCTION_INFO_V1(qehs_bulk_announce);
PG_FUNCTION_INFO_V1(qehs_bulk_queue);

static KeptPlan announce = {
	"INSERT INTO qehs.object_removal (tenant, object, not_before) VALUES ($1, $2, $3 + interval '1 day')", 3, {TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan take_announced = {
	"DELETE FROM qehs.object_removal WHERE tenant = $1 AND object = $2 AND not_before > $3", 3, {TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/*
 * bulk_announce(module_key, mode, dry_run, on_conflict, external_id, on_error, accept_language, content_type, delimiter,
 * columns, unknown_columns, storage)
 */
Datum
qehs_bulk_announce(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	BulkRequest request;
	BulkOptions options = {0};
	pg_uuid_t	id;
	char		name[QEHS_ID_LENGTH + 1];
	Datum		values[3];
	int64		left;
	StringInfoData out;

	bulk_read_request(fcinfo, context, &request, &options);
	signed_url_require_store(PG_ARGISNULL(ANNOUNCE_STORAGE) ? NULL : PG_GETARG_JSONB_P(ANNOUNCE_STORAGE));
	id_generate(&id);
	id_format(&id, QEHS_ID_JOB, name);
	values[0] = CStringGetTextDatum(context->tenant_slug);
	values[1] = CStringGetTextDatum(name);
	values[2] = TimestampTzGetDatum(clock_transaction());
	json_begin(&out);
	json_literal(&out, "{\"tenant\":");
	json_string(&out, context->tenant_slug);
	appendStringInfo(&out, ",\"id\":\"%s\"", name);
	SPI_connect();
	quota_require(context->tenant_id, 0);
	left = quota_left(context->tenant_id, NULL);
	plan_execute(&announce, values, NULL, false, 0);
	SPI_finish();
	if (left >= 0)
		appendStringInfo(&out, ",\"quota\":" INT64_FORMAT, left);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/* A member of the job's arguments; none of NULL. */
static void
write_text(StringInfo out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfoChar(out, ',');
	json_name(out, name);
	json_string(out, value);
}

/* What the worker and qehs.bulk_job_load need to know. */
static Jsonb *
job_arguments(const RequestContext *context, const BulkRequest *request, const char *content_encoding, int64 size)
{
	StringInfoData out;

	initStringInfo(&out);
	json_literal(&out, "{\"moduleKey\":");
	json_string(&out, request->module_key);
	write_text(&out, "traceId", context->trace_id);
	write_text(&out, "mode", request->mode);
	write_text(&out, "onConflict", request->on_conflict);
	write_text(&out, "externalId", request->external_id);
	write_text(&out, "onError", request->on_error);
	write_text(&out, "acceptLanguage", request->accept_language);
	write_text(&out, "contentType", request->content_type);
	write_text(&out, "contentEncoding", content_encoding);
	write_text(&out, "delimiter", request->delimiter);
	write_text(&out, "unknownColumns", request->unknown_columns);
	write_text(&out, "batchKey", request->batch_key);
	if (request->columns)
	{
		json_literal(&out, ",\"columns\":");
		json_jsonb(&out, request->columns);
	}
	/* what a dry run has seen belongs to one transaction */
	appendStringInfo(&out, ",\"dryRun\":%s,\"transaction\":%s,\"sizeBytes\":" INT64_FORMAT "}", request->dry_run ? "true" : "false",
					 request->dry_run || bulk_is_atomic(request) ? "true" : "false", size);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/*
 * bulk_queue(module_key, mode, dry_run, on_conflict, external_id, on_error, accept_language, content_type, delimiter,
 * columns, unknown_columns, content_encoding, batch_key, job_id, size_bytes)
 */
Datum
qehs_bulk_queue(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	char	   *wire = argument_text(fcinfo, QUEUE_JOB_ID);
	int64		size = PG_ARGISNULL(QUEUE_SIZE_BYTES) ? 0 : PG_GETARG_INT64(QUEUE_SIZE_BYTES);
	BulkRequest request;
	BulkOptions options = {0};
	pg_uuid_t	id;
	pg_uuid_t	queued;
	JobOrder	order = {.kind = "bulk_load",.id = &id,.input_bytes = size};
	Datum		values[3] = {CStringGetTextDatum(context->tenant_slug), (Datum) 0, TimestampTzGetDatum(clock_transaction())};
	StringInfoData out;

	bulk_read_request(fcinfo, context, &request, &options);
	request.batch_key = argument_text(fcinfo, QUEUE_BATCH_KEY);
	bulk_check_batch_key(request.batch_key);
	order.arguments = job_arguments(context, &request, argument_text(fcinfo, QUEUE_CONTENT_ENCODING), size);
	json_begin(&out);
	SPI_connect();
	quota_require(context->tenant_id, size);
	if (wire)
		values[1] = CStringGetTextDatum(wire);
	if (!argument_id(fcinfo, QUEUE_JOB_ID, QEHS_ID_JOB, &id) || plan_execute(&take_announced, values, NULL, false, 0) == 0)
		problem_raise(PROBLEM_CONFLICT, "Send the body again.", "no body of this id was announced within the last day");
	job_enqueue(context->tenant_id, context, &order, &queued);
	context_header(context, "Preference-Applied", "respond-async");
	return job_answer(context, &out, &queued);
}
