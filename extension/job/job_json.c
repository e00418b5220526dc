/*
 * job_json.c
 *	  Jobs as their callers see them.
 *
 * {"jobId","kind","status","progress","enqueuedAt","startedAt","finishedAt",
 * "rowCount","result","error","statusUrl"}; progress is 0 to 100, and 100 of a
 * job that has succeeded only.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "job/job.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define PATH "/api/v1/jobs/"
/* Seconds after which a job is asked for again. */
#define RETRY_AFTER 2

static KeptPlan select_job = {
	"SELECT " QEHS_JOB_COLUMNS " FROM qehs.job WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL
};

static char *
state_of(uint64 row)
{
	bool		isnull;

	return TextDatumGetCString(plan_value(row, JOB_COLUMN_STATE, &isnull));
}

static int
progress_of(uint64 row)
{
	bool		isnull;
	int64		done = DatumGetInt64(plan_value(row, JOB_COLUMN_DONE, &isnull));
	int64		total = DatumGetInt64(plan_value(row, JOB_COLUMN_TOTAL, &isnull));

	if (strcmp(state_of(row), "succeeded") == 0)
		return 100;
	return isnull || total <= 0 ? 0 : (int) Min((double) done * 100.0 / (double) total, 99.0);
}

static void
write_jsonb(StringInfo out, uint64 row, int column)
{
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	if (isnull)
		json_literal(out, "null");
	else
		json_jsonb(out, DatumGetJsonbP(value));
}

void
job_write(StringInfo out, uint64 row, JobResultWriter writer, void *owner)
{
	static const char *const times[] = {"enqueuedAt", "startedAt", "finishedAt"};
	char		id[QEHS_ID_LENGTH + 1];
	bool		isnull;
	Datum		value;

	id_format(DatumGetUUIDP(plan_value(row, JOB_COLUMN_ID, &isnull)), QEHS_ID_JOB, id);
	appendStringInfo(out, "{\"jobId\":\"%s\",\"kind\":", id);
	json_string(out, TextDatumGetCString(plan_value(row, JOB_COLUMN_KIND, &isnull)));
	json_literal(out, ",\"status\":");
	json_string(out, state_of(row));
	appendStringInfo(out, ",\"progress\":%d", progress_of(row));
	for (int i = 0; i < (int) lengthof(times); i++)
	{
		appendStringInfo(out, ",\"%s\":", times[i]);
		value = plan_value(row, JOB_COLUMN_CREATED_AT + i, &isnull);
		if (isnull)
			json_literal(out, "null");
		else
			json_time(out, DatumGetTimestampTz(value));
	}
	json_literal(out, ",\"rowCount\":");
	value = plan_value(row, JOB_COLUMN_ROW_COUNT, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_int(out, DatumGetInt64(value));
	json_literal(out, ",\"result\":");
	value = plan_value(row, JOB_COLUMN_RESULT, &isnull);
	if (isnull || writer == NULL)
		write_jsonb(out, row, JOB_COLUMN_RESULT);
	else
		writer(out, TextDatumGetCString(plan_value(row, JOB_COLUMN_KIND, &isnull)), DatumGetUUIDP(plan_value(row, JOB_COLUMN_ID, &isnull)),
			   DatumGetJsonbP(value), owner);
	json_literal(out, ",\"error\":");
	write_jsonb(out, row, JOB_COLUMN_ERROR);
	appendStringInfo(out, ",\"statusUrl\":\"" PATH "%s\"}", id);
}

void
job_headers(RequestContext *context, uint64 row)
{
	const char *state = state_of(row);

	context_header(context, "Cache-Control", "no-store");
	if (strcmp(state, "queued") == 0 || strcmp(state, "running") == 0)
		context_header(context, "Retry-After", "%d", RETRY_AFTER);
}

Datum
job_answer(RequestContext *context, StringInfo out, const pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};
	char		text[QEHS_ID_LENGTH + 1];

	plan_execute(&select_job, values, NULL, false, 1);
	job_write(out, 0, NULL, NULL);
	job_headers(context, 0);
	SPI_finish();
	id_format(id, QEHS_ID_JOB, text);
	context_header(context, "Location", PATH "%s", text);
	context_status(context, 202);
	return context_answer(out);
}
