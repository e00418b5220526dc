/*
 * run.c
 *	  Running the jobs of the kinds that run inside the database: one step of one
 *	  job at a time, each in the transaction of its caller.
 *
 * The job's row is locked before anything else, so that one session works on it
 * and a cancel waits for the end of the step.  The step runs in a subtransaction:
 * what it raises undoes it and is kept with the job, which is tried again from the
 * position before; a refusal of class QH4xx would be the same again and ends it.
 * All that a step allocates goes with its memory context.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/attempt.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/delegate.h"
#include "catalog/pg_type.h"
#include "job/job.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_job_step);

#define MAX_KINDS 16
#define LEASE_SECONDS 60

static const JobKind *kinds[MAX_KINDS];
static int	kind_count = 0;

static KeptPlan select_job = {
	"SELECT tenant_id, kind, arguments, position, done, total, row_count, on_behalf, cancel_requested FROM qehs.job"
	" WHERE tenant_id = (SELECT t.id FROM qehs.tenant AS t WHERE t.slug = $1) AND id = $2 AND worker = $3 AND state = 'running'"
	" FOR NO KEY UPDATE",
	3, {TEXTOID, UUIDOID, TEXTOID}, NULL
};
/* The columns of select_job. */
enum
{
	COLUMN_TENANT_ID = 1, COLUMN_KIND, COLUMN_ARGUMENTS, COLUMN_POSITION, COLUMN_DONE, COLUMN_TOTAL, COLUMN_ROW_COUNT, COLUMN_ON_BEHALF,
	COLUMN_CANCEL_REQUESTED
};
static KeptPlan go_on = {
	"UPDATE qehs.job SET position = $3, done = $4, total = $5, row_count = $6, lease_until = $7, attempts = 1, error = NULL"
	" WHERE tenant_id = $1 AND id = $2",
	7, {INT4OID, UUIDOID, JSONBOID, INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID}, NULL
};
static KeptPlan end = {
	"UPDATE qehs.job SET state = $3, finished_at = $4, done = $5, total = $6, row_count = $7, result = $8, error = NULL,"
	" worker = NULL, lease_until = NULL WHERE tenant_id = $1 AND id = $2",
	8, {INT4OID, UUIDOID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, JSONBOID}, NULL
};
static KeptPlan fail = {
	"SELECT qehs.job_fail($1, $2, $3, $4, $5)", 5, {TEXTOID, TEXTOID, TEXTOID, JSONBOID, BOOLOID}, NULL
};

/* A job that a worker is at, beside what its step sees of it. */
typedef struct Run
{
	Job			job;
	const JobKind *kind;
	Jsonb	   *note;			/* of the caller; NULL is the system */
	bool		cancelled;
	bool		more;			/* to do after the step */
} Run;

void
job_register(const JobKind *kind)
{
	if (kind_count == MAX_KINDS)
		elog(ERROR, "too many kinds of jobs");
	kinds[kind_count++] = kind;
}

static const JobKind *
find_kind(const char *name)
{
	for (int i = 0; i < kind_count; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	problem_raise(PROBLEM_CONFLICT, NULL, "jobs of kind \"%s\" do not run inside the database", name);
}

/* A jsonb column of the only row of SPI_tuptable, copied to the context; NULL when it is null. */
static Jsonb *
jsonb_column(int column, MemoryContext memory)
{
	MemoryContext previous = MemoryContextSwitchTo(memory);
	bool		isnull;
	Datum		value = plan_value(0, column, &isnull);
	Jsonb	   *copy = isnull ? NULL : DatumGetJsonbPCopy(value);

	MemoryContextSwitchTo(previous);
	return copy;
}

static int64
number_column(int column, int64 otherwise)
{
	bool		isnull;
	Datum		value = plan_value(0, column, &isnull);

	return isnull ? otherwise : DatumGetInt64(value);
}

/* Lock the job and read it into memory. */
static void
lock_job(Datum *held, MemoryContext memory, Run *run)
{
	char	   *kind;
	bool		isnull;

	SPI_connect();
	if (plan_execute(&select_job, held, NULL, false, 1) == 0)
		problem_raise(PROBLEM_CONFLICT, "Give it up: another worker has it now, or it has ended.", "the worker does not hold the job");
	run->job.tenant_id = DatumGetInt32(plan_value(0, COLUMN_TENANT_ID, &isnull));
	kind = TextDatumGetCString(plan_value(0, COLUMN_KIND, &isnull));
	run->kind = find_kind(kind);
	run->job.arguments = jsonb_column(COLUMN_ARGUMENTS, memory);
	run->job.position = jsonb_column(COLUMN_POSITION, memory);
	run->job.done = number_column(COLUMN_DONE, 0);
	run->job.total = number_column(COLUMN_TOTAL, -1);
	run->job.row_count = number_column(COLUMN_ROW_COUNT, 0);
	run->note = jsonb_column(COLUMN_ON_BEHALF, memory);
	run->cancelled = DatumGetBool(plan_value(0, COLUMN_CANCEL_REQUESTED, &isnull));
	SPI_finish();
}

/* Run the step as who asked for it. */
static void
step(void *argument)
{
	Run		   *run = argument;
	RequestContext *context = run->note ? delegate_enter(run->job.tenant_id, run->note) : context_system(run->job.tenant_id);

	run->more = run->kind->step(context, &run->job);
	context_end_work();
}

/* Errors of the request, which would be the same again; conflicts, limits and the like may pass. */
static bool
is_final(const ErrorData *error)
{
	const char *state = unpack_sql_state(error->sqlerrcode);

	return strncmp(state, "QH4", 3) == 0 && strcmp(state, "QH409") != 0 && strcmp(state, "QH429") != 0;
}

/* {"code","detail","errors"?} of an error; what is not for the client is said to be in the server's log. */
static Jsonb *
error_json(const ErrorData *error)
{
	StringInfoData out;
	bool		known = strncmp(unpack_sql_state(error->sqlerrcode), "QH", 2) == 0;

	initStringInfo(&out);
	json_literal(&out, "{\"code\":");
	json_string(&out, known && error->constraint_name ? error->constraint_name : "internal");
	json_literal(&out, ",\"detail\":");
	json_string(&out, known ? error->message : "the server could not do it; its log says why");
	if (known && error->detail && strncmp(error->detail, "{\"errors\":", 10) == 0)
		appendStringInfo(&out, ",%s", error->detail + 1);
	else
		appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* Keep what the step has done; at the end with its result. */
static void
keep(const Run *run, const pg_uuid_t *id, const char *state)
{
	const Job  *job = &run->job;
	Datum		values[8] = {Int32GetDatum(job->tenant_id), UUIDPGetDatum(id)};
	char		nulls[9] = "        ";

	SPI_connect();
	if (state == NULL)
	{
		values[2] = job->position ? JsonbPGetDatum(job->position) : (Datum) 0;
		nulls[2] = job->position ? ' ' : 'n';
		values[3] = Int64GetDatum(job->done);
		values[4] = Int64GetDatum(job->total);
		nulls[4] = job->total < 0 ? 'n' : ' ';
		values[5] = Int64GetDatum(job->row_count);
		values[6] = TimestampTzGetDatum(clock_now() + LEASE_SECONDS * USECS_PER_SEC);
		plan_execute(&go_on, values, nulls, false, 0);
	}
	else
	{
		values[2] = CStringGetTextDatum(state);
		values[3] = TimestampTzGetDatum(clock_now());
		values[4] = Int64GetDatum(job->done);
		values[5] = Int64GetDatum(job->total);
		nulls[5] = job->total < 0 ? 'n' : ' ';
		values[6] = Int64GetDatum(job->row_count);
		values[7] = job->result ? JsonbPGetDatum(job->result) : (Datum) 0;
		nulls[7] = job->result ? ' ' : 'n';
		plan_execute(&end, values, nulls, false, 0);
		figures_add(strcmp(state, "cancelled") == 0 ? FIGURE_JOBS_CANCELLED : FIGURE_JOBS_SUCCEEDED, 1);
	}
	SPI_finish();
}

/* The arguments of qehs.job_step. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_JOB_ID, ARGUMENT_WORKER, ARGUMENT_BUDGET
};

/* Keep the error, and have the job tried again unless that is of no use. */
static void
keep_error(FunctionCallInfo fcinfo, const ErrorData *error)
{
	Datum		values[5] = {PG_GETARG_DATUM(ARGUMENT_TENANT), PG_GETARG_DATUM(ARGUMENT_JOB_ID), PG_GETARG_DATUM(ARGUMENT_WORKER), JsonbPGetDatum(error_json(error)),
	BoolGetDatum(!is_final(error))};

	if (strncmp(unpack_sql_state(error->sqlerrcode), "QH", 2) != 0)
		ereport(LOG, (errcode(error->sqlerrcode), errmsg("a job could not go on: %s", error->message),
					  error->detail ? errdetail_internal("%s", error->detail) : 0));
	SPI_connect();
	plan_execute(&fail, values, NULL, false, 0);
	SPI_finish();
}

/* job_step(tenant, job_id, worker, budget): whether there is more to do for this worker. */
Datum
qehs_job_step(PG_FUNCTION_ARGS)
{
	Run			run = {.kind = NULL};
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs job", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(memory);
	Datum		held[3];
	ErrorData  *error = NULL;

	if (PG_ARGISNULL(ARGUMENT_TENANT) || PG_ARGISNULL(ARGUMENT_WORKER) || !argument_id(fcinfo, ARGUMENT_JOB_ID, QEHS_ID_JOB, &run.job.id))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such job");
	run.job.until = GetCurrentTimestamp() + (PG_ARGISNULL(ARGUMENT_BUDGET) ? 0 : PG_GETARG_INTERVAL_P(ARGUMENT_BUDGET)->time);
	held[0] = PG_GETARG_DATUM(ARGUMENT_TENANT);
	held[1] = UUIDPGetDatum(&run.job.id);
	held[2] = PG_GETARG_DATUM(ARGUMENT_WORKER);
	lock_job(held, memory, &run);
	if (run.cancelled)
		keep(&run, &run.job.id, "cancelled");
	else
	{
		Run			before = run;

		figures_add(FIGURE_JOB_STEPS, 1);
		error = attempt_run(step, &run);
		if (error)
		{
			context_end_work();
			run = before;
			keep_error(fcinfo, error);
		}
		else
			keep(&run, &run.job.id, run.more ? NULL : "succeeded");
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(memory);
	PG_RETURN_BOOL(run.more);
}
