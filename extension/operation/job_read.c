/*
 * job_read.c
 *	  qehs.job_get, qehs.job_list and qehs.job_cancel; qehs.export_get and
 *	  qehs.export_cancel are the same for exports only.  The file of an export is told
 *	  by a link that is signed anew each time.
 *
 * A caller sees the jobs that it asked for; tenant-owner and tenant-admin see all
 * of the tenant, with a key for some modules those of these modules only.  Others
 * are as good as missing.
 */
#include "base/compat.h"

#include "attachment/signed_url.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/figures.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "job/job.h"
#include "permission/permission.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_job_get);
PG_FUNCTION_INFO_V1(qehs_job_list);
PG_FUNCTION_INFO_V1(qehs_job_cancel);
PG_FUNCTION_INFO_V1(qehs_export_get);
PG_FUNCTION_INFO_V1(qehs_export_cancel);

/* $2: the caller, $3: whether it sees those of others, $4: of these modules only */
#define SEEN " tenant_id = $1 AND (created_by = $2 OR $3 AND ($4 IS NULL OR arguments ->> 'moduleKey' = ANY ($4)))"
#define SEEN_COUNT 4

static KeptPlan select_job = {
	"SELECT " QEHS_JOB_COLUMNS " FROM qehs.job WHERE" SEEN " AND id = $5", 5, {INT4OID, UUIDOID, BOOLOID, TEXTARRAYOID, UUIDOID}, NULL
};
static KeptPlan select_page = {
	"SELECT " QEHS_JOB_COLUMNS " FROM qehs.job WHERE" SEEN " AND id < $5 AND ($6 IS NULL OR kind = $6) AND ($7 IS NULL OR state = $7)"
	" ORDER BY id DESC",
	7, {INT4OID, UUIDOID, BOOLOID, TEXTARRAYOID, UUIDOID, TEXTOID, TEXTOID}, NULL
};

/* What nobody runs ends at once; a worker is told at its next step or heartbeat. */
static KeptPlan cancel_job = {
	"UPDATE qehs.job AS j SET cancel_requested = true, state = CASE WHEN free THEN 'cancelled' ELSE state END,"
	" finished_at = CASE WHEN free THEN $6 END, worker = CASE WHEN free THEN NULL ELSE worker END,"
	" lease_until = CASE WHEN free THEN NULL ELSE lease_until END"
	" FROM (SELECT h.id AS held, COALESCE(h.lease_until < $6, true) AS free FROM qehs.job AS h JOIN qehs.job_kind AS k USING (kind)"
	" WHERE" SEEN " AND h.id = $5 AND h.finished_at IS NULL AND k.can_cancel FOR NO KEY UPDATE OF h) AS found"
	" WHERE j.tenant_id = $1 AND j.id = found.held RETURNING j.state = 'cancelled'",
	6, {INT4OID, UUIDOID, BOOLOID, TEXTARRAYOID, UUIDOID, TIMESTAMPTZOID}, NULL
};

/* The arguments of SEEN. */
static void
take_caller(const RequestContext *context, Datum *values, char *nulls)
{
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&context->actor_id);
	values[2] = BoolGetDatum(permission_is_administrator(context));
	nulls[3] = context->module_count < 0 ? 'n' : ' ';
	if (context->module_count >= 0)
	{
		Datum	   *names = palloc(sizeof(Datum) * Max(context->module_count, 1));

		for (int i = 0; i < context->module_count; i++)
			names[i] = CStringGetTextDatum(context->modules[i]);
		values[3] = PointerGetDatum(construct_array(names, context->module_count, TEXTOID, -1, false, TYPALIGN_INT));
	}
}

static RequestContext *
require_caller(void)
{
	RequestContext *context = context_require();

	if (context->tenant_id == 0)
		problem_raise(PROBLEM_UNAUTHENTICATED, "Send the header Authorization: Bearer and an API key.", "the request carries no API key");
	return context;
}

/* Whether the only row of SPI_tuptable is a job of the kind. */
static bool
is_of_kind(const char *kind)
{
	bool		isnull;

	return strcmp(TextDatumGetCString(plan_value(0, JOB_COLUMN_KIND, &isnull)), kind) == 0;
}

/* The arguments of functions of one job; those that give no links have the first only. */
enum
{
	ARGUMENT_ID, ARGUMENT_STORAGE
};

/* Find the job of the argument, of a kind unless that is NULL; raises QH404. */
static void
find_job(FunctionCallInfo fcinfo, const char *kind, Datum *values, char *nulls, pg_uuid_t *id)
{
	values[SEEN_COUNT] = UUIDPGetDatum(id);
	if (!argument_id(fcinfo, ARGUMENT_ID, QEHS_ID_JOB, id) || plan_execute(&select_job, values, nulls, false, 1) == 0 || (kind && !is_of_kind(kind)))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such job");
}

/* What links to files are made of. */
typedef struct Links
{
	const RequestContext *context;
	const Jsonb *storage;		/* as the shim describes it, or NULL */
} Links;

static Links
take_links(FunctionCallInfo fcinfo, const RequestContext *context)
{
	return (Links) {context, PG_NARGS() <= ARGUMENT_STORAGE || PG_ARGISNULL(ARGUMENT_STORAGE) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_STORAGE)};
}

/* The file of an export with a link to it, which is good for some minutes; other results are told as they are. */
static void
write_result(StringInfo out, const char *kind, const pg_uuid_t *id, Jsonb *result, void *owner)
{
	const Links *links = owner;
	char		name[QEHS_ID_LENGTH + 1];
	char	   *type = json_member_text(&result->root, "contentType");
	SignedUrl	what = {.method = "GET",.tenant = links->context->tenant_slug,.id = name,.content_type = type,
	.filename = json_member_text(&result->root, "filename"),.size = -1,.seconds = SIGNED_URL_GET_SECONDS};
	TimestampTz expires_at;
	StringInfoData members;

	if (strcmp(kind, "export") != 0 || what.filename == NULL)
	{
		json_jsonb(out, result);
		return;
	}
	signed_url_require_store(links->storage);
	id_format(id, QEHS_ID_JOB, name);
	json_literal(out, "{\"downloadUrl\":");
	json_string(out, signed_url_make(links->storage, &what, &expires_at));
	json_literal(out, ",\"expiresAt\":");
	json_time(out, expires_at);
	initStringInfo(&members);
	json_jsonb(&members, result);
	appendStringInfo(out, ",%s", members.data + 1);
}

/* A job that was not cancelled has ended, and stays as it is, or is of a kind that cannot be cancelled. */
static void
check_ended(uint64 row)
{
	bool		isnull;
	const char *state = TextDatumGetCString(plan_value(row, JOB_COLUMN_STATE, &isnull));

	if (strcmp(state, "queued") == 0 || strcmp(state, "running") == 0)
		problem_raise(PROBLEM_CONFLICT, "Wait until it has ended.", "jobs of this kind cannot be cancelled: lists wait for them");
}

/* Cancel the job that was found, and read it again. */
static void
cancel(Datum *values, char *nulls)
{
	bool		isnull;
	bool		found;

	values[SEEN_COUNT + 1] = TimestampTzGetDatum(clock_now());
	found = plan_execute(&cancel_job, values, nulls, false, 0) == 1;
	if (found && DatumGetBool(plan_value(0, 1, &isnull)))
		figures_add(FIGURE_JOBS_CANCELLED, 1);
	plan_execute(&select_job, values, nulls, false, 1);
	if (!found)
		check_ended(0);
}

/* Answer with the job of the first argument, of a kind unless that is NULL, which is cancelled before. */
static Datum
answer(FunctionCallInfo fcinfo, const char *kind, bool cancelled)
{
	RequestContext *context = require_caller();
	Datum		values[SEEN_COUNT + 2] = {0};
	char		nulls[SEEN_COUNT + 3] = "      ";
	pg_uuid_t	id;
	StringInfoData out;
	Links		links = take_links(fcinfo, context);

	take_caller(context, values, nulls);
	json_begin(&out);
	SPI_connect();
	find_job(fcinfo, kind, values, nulls, &id);
	if (cancelled)
		cancel(values, nulls);
	job_write(&out, 0, write_result, &links);
	job_headers(context, 0);
	SPI_finish();
	return context_answer(&out);
}

/* job_get(job_id, storage) */
Datum
qehs_job_get(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer(fcinfo, NULL, false));
}

/* export_get(job_id, storage) */
Datum
qehs_export_get(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer(fcinfo, "export", false));
}

/* job_cancel(job_id, storage) */
Datum
qehs_job_cancel(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer(fcinfo, NULL, true));
}

/* export_cancel(job_id, storage) */
Datum
qehs_export_cancel(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer(fcinfo, "export", true));
}

static void
check_status(const char *status, ViolationList *faults)
{
	static const char *const known[] = {"queued", "running", "succeeded", "failed", "cancelled"};

	for (int i = 0; status && i < (int) lengthof(known); i++)
		if (strcmp(status, known[i]) == 0)
			return;
	if (status)
		violation_add(faults, "?status", "enum", "must be one of queued, running, succeeded, failed, cancelled");
}

/* A filter, bound into the cursor. */
static void
take_filter(FunctionCallInfo fcinfo, int number, int place, Datum *values, char *nulls, StringInfo binding)
{
	char	   *text = argument_text(fcinfo, number);

	nulls[place] = text ? ' ' : 'n';
	values[place] = text ? CStringGetTextDatum(text) : (Datum) 0;
	json_string(binding, text);
}

/* The arguments of qehs.job_list. */
enum
{
	ARGUMENT_KIND, ARGUMENT_STATUS, ARGUMENT_PAGE_SIZE, ARGUMENT_CURSOR
};

/* job_list(kind, status, page_size, cursor): newest first. */
Datum
qehs_job_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_caller();
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, ARGUMENT_PAGE_SIZE, &faults);
	Datum		values[7] = {0};
	char		nulls[8] = "       ";
	pg_uuid_t	last;
	StringInfoData out;
	StringInfoData binding;
	char	   *cursor = argument_text(fcinfo, ARGUMENT_CURSOR);
	char	   *next = NULL;
	uint64		rows;
	bool		isnull;

	check_status(argument_text(fcinfo, ARGUMENT_STATUS), &faults);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	memset(&last, 0xFF, sizeof(last));
	initStringInfo(&binding);
	take_caller(context, values, nulls);
	values[4] = UUIDPGetDatum(&last);
	take_filter(fcinfo, ARGUMENT_KIND, 5, values, nulls, &binding);
	take_filter(fcinfo, ARGUMENT_STATUS, 6, values, nulls, &binding);
	cursor_open_id(context->tenant_id, "job_list", binding.data, cursor, &last);
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	rows = plan_execute(&select_page, values, nulls, true, limit + 1);
	for (uint64 i = 0; i < Min(rows, (uint64) limit); i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		job_write(&out, i, NULL, NULL);
		last = *DatumGetUUIDP(plan_value(i, JOB_COLUMN_ID, &isnull));
	}
	SPI_finish();
	context_header(context, "Cache-Control", "no-store");
	if (rows > (uint64) limit)
		next = cursor_seal(context->tenant_id, "job_list", binding.data, (const char *) &last, sizeof(last));
	PG_RETURN_DATUM(context_answer_page(&out, context, next));
}
