/*
 * queue.c
 *	  Jobs in the queue: put there, claimed, renewed and ended by workers.
 *
 * A claim goes to the tenant that was served longest ago, among those that have
 * a job which is due and have not reached the limit of its kind.  To count and to
 * claim is one decision, so claims of one tenant and kind take turns by an
 * advisory lock that no SQL function reaches.  Rows that are locked, by a step
 * that runs, are passed over.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/id.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "caller/delegate.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "job/job.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_job_claim);
PG_FUNCTION_INFO_V1(qehs_job_begin);
PG_FUNCTION_INFO_V1(qehs_job_heartbeat);
PG_FUNCTION_INFO_V1(qehs_job_finish);
PG_FUNCTION_INFO_V1(qehs_job_fail);
PG_FUNCTION_INFO_V1(qehs_job_release);

#define LEASE_SECONDS 60
#define MOST_LEASE_SECONDS 86400

#define INSERT_JOB "INSERT INTO qehs.job (tenant_id, id, kind, subject, arguments, created_at, not_before, created_by, on_behalf, input_bytes)" \
	" VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9) ON CONFLICT (tenant_id, kind, subject) WHERE finished_at IS NULL AND subject IS NOT NULL"
#define INSERT_TYPES {INT4OID, UUIDOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID, UUIDOID, JSONBOID, INT8OID}

static KeptPlan insert_job = {INSERT_JOB " DO NOTHING RETURNING id", 9, INSERT_TYPES, NULL};
static KeptPlan restart_job = {
	INSERT_JOB " DO UPDATE SET arguments = excluded.arguments, total = NULL, done = 0, row_count = NULL,"
	" position = NULL, attempts = 0, not_before = excluded.not_before, error = NULL RETURNING id",
	9, INSERT_TYPES, NULL
};

/* Tenants with unfinished jobs by skipping along the index; of these, with kinds that are due, those served longest ago first. */
static KeptPlan select_candidates = {
	"WITH RECURSIVE t AS ((SELECT j.tenant_id FROM qehs.job AS j WHERE j.finished_at IS NULL ORDER BY j.tenant_id LIMIT 1)"
	" UNION ALL SELECT (SELECT j.tenant_id FROM qehs.job AS j WHERE j.finished_at IS NULL AND j.tenant_id > t.tenant_id"
	" ORDER BY j.tenant_id LIMIT 1) FROM t WHERE t.tenant_id IS NOT NULL)"
	" SELECT t.tenant_id, k.kind, COALESCE((SELECT l.quantity FROM qehs.rate_limit AS l WHERE l.tenant_id = t.tenant_id"
	" AND l.class = k.limit_class AND l.key_id = '00000000-0000-0000-0000-000000000000'), k.tenant_limit), k.max_attempts, n.slug"
	" FROM t JOIN qehs.tenant AS n ON n.id = t.tenant_id AND n.suspended_at IS NULL CROSS JOIN qehs.job_kind AS k"
	" WHERE k.kind = ANY ($1) AND EXISTS (SELECT FROM qehs.job AS j WHERE j.tenant_id = t.tenant_id AND j.kind = k.kind"
	" AND j.finished_at IS NULL AND j.not_before <= $2 AND (j.lease_until IS NULL OR j.lease_until < $2))"
	" ORDER BY (SELECT pg_catalog.max(c.claimed_at) FROM qehs.job AS c WHERE c.tenant_id = t.tenant_id AND c.claimed_at IS NOT NULL) NULLS FIRST",
	2, {TEXTARRAYOID, TIMESTAMPTZOID}, NULL
};

/* What a worker left behind that nobody is to try again. */
static KeptPlan end_lost = {
	"UPDATE qehs.job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'failed' END, finished_at = $3, worker = NULL,"
	" lease_until = NULL, error = CASE WHEN cancel_requested THEN error ELSE COALESCE(error,"
	" '{\"code\":\"internal\",\"detail\":\"the worker was lost, as often as it was tried\"}') END"
	" WHERE tenant_id = $1 AND id IN (SELECT j.id FROM qehs.job AS j WHERE j.tenant_id = $1 AND j.kind = $2 AND j.finished_at IS NULL"
	" AND j.lease_until < $3 AND (j.cancel_requested OR j.attempts >= $4) FOR NO KEY UPDATE SKIP LOCKED)",
	4, {INT4OID, TEXTOID, TIMESTAMPTZOID, INT4OID}, NULL
};
static KeptPlan count_running = {
	"SELECT pg_catalog.count(*) FROM qehs.job WHERE tenant_id = $1 AND kind = $2 AND finished_at IS NULL AND lease_until >= $3",
	3, {INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan claim_next = {
	"UPDATE qehs.job SET state = 'running', worker = $4, lease_until = $5, claimed_at = pg_catalog.clock_timestamp(),"
	" started_at = COALESCE(started_at, $3), attempts = attempts + 1"
	" WHERE tenant_id = $1 AND id = (SELECT j.id FROM qehs.job AS j WHERE j.tenant_id = $1 AND j.kind = $2 AND j.finished_at IS NULL"
	" AND j.not_before <= $3 AND (j.lease_until IS NULL OR j.lease_until < $3)"
	" ORDER BY j.claimed_at NULLS FIRST, j.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)"
	" RETURNING id, arguments, position, attempts",
	5, {INT4OID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID}, NULL
};
/* What claim_next returns. */
enum
{
	COLUMN_CLAIMED_ID = 1, COLUMN_CLAIMED_ARGUMENTS, COLUMN_CLAIMED_POSITION, COLUMN_CLAIMED_ATTEMPTS
};

#define HELD " WHERE tenant_id = (SELECT t.id FROM qehs.tenant AS t WHERE t.slug = $1) AND id = $2 AND worker = $3 AND state = 'running'"

static KeptPlan select_held = {
	"SELECT tenant_id, on_behalf, arguments, started_at, cancel_requested FROM qehs.job" HELD " AND lease_until >= $4",
	4, {TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID}, NULL
};
/* The columns of select_held. */
enum
{
	COLUMN_HELD_TENANT_ID = 1, COLUMN_HELD_ON_BEHALF, COLUMN_HELD_ARGUMENTS, COLUMN_HELD_STARTED_AT, COLUMN_HELD_CANCEL_REQUESTED
};
static KeptPlan renew = {
	"UPDATE qehs.job SET lease_until = $4, done = COALESCE($5, done), total = COALESCE($6, total), position = COALESCE($7, position)"
	HELD " RETURNING cancel_requested",
	7, {TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, JSONBOID}, NULL
};
static KeptPlan finish = {
	"UPDATE qehs.job SET state = 'succeeded', finished_at = $4, result = $5, row_count = $6, error = NULL, worker = NULL, lease_until = NULL" HELD,
	6, {TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, JSONBOID, INT8OID}, NULL
};

/* Who was asked to stop has been cancelled; what may be tried again waits twice as long after each attempt, 5 minutes at most. */
static KeptPlan fail = {
	"UPDATE qehs.job AS j SET error = CASE WHEN cancel_requested THEN NULL ELSE $5 END, worker = NULL, lease_until = NULL,"
	" state = CASE WHEN cancel_requested THEN 'cancelled' WHEN again.may THEN 'queued' ELSE 'failed' END,"
	" finished_at = CASE WHEN again.may AND NOT cancel_requested THEN NULL ELSE $4 END,"
	" not_before = $4 + LEAST(pg_catalog.power(2, attempts), 300) * interval '1 second'"
	" FROM (SELECT h.id AS job_id, $6 AND h.attempts < k.max_attempts AS may FROM qehs.job AS h JOIN qehs.job_kind AS k USING (kind)"
	HELD ") AS again"
	" WHERE j.tenant_id = (SELECT t.id FROM qehs.tenant AS t WHERE t.slug = $1) AND j.id = again.job_id"
	" AND j.worker = $3 AND j.state = 'running' RETURNING j.state",
	6, {TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, JSONBOID, BOOLOID}, NULL
};
static KeptPlan release = {
	"UPDATE qehs.job SET worker = NULL, lease_until = NULL, attempts = GREATEST(attempts - 1, 0)" HELD,
	3, {TEXTOID, UUIDOID, TEXTOID}, NULL
};

void
job_enqueue(int32 tenant_id, const RequestContext *caller, const JobOrder *order, pg_uuid_t *id)
{
	static const pg_uuid_t system = {{0}};
	Jsonb	   *note = caller ? delegate_note(caller) : NULL;
	Datum		values[9] = {Int32GetDatum(tenant_id), UUIDPGetDatum(id), CStringGetTextDatum(order->kind),
		order->subject ? CStringGetTextDatum(order->subject) : (Datum) 0, JsonbPGetDatum(order->arguments),
	TimestampTzGetDatum(clock_now()), UUIDPGetDatum(caller ? &caller->actor_id : &system), note ? JsonbPGetDatum(note) : (Datum) 0,
	Int64GetDatum(order->input_bytes)};
	char		nulls[10] = "         ";
	bool		isnull;

	if (order->id)
		*id = *order->id;
	else
		id_generate(id);
	nulls[3] = order->subject ? ' ' : 'n';
	nulls[7] = note ? ' ' : 'n';
	nulls[8] = order->id ? ' ' : 'n';
	if (plan_execute(order->restart ? &restart_job : &insert_job, values, nulls, false, 0) == 0)
		problem_raise(PROBLEM_CONFLICT, "Wait until it has ended, or cancel it.",
					  "another job does the same work already: kind %s, %s", order->kind, order->subject);
	*id = *DatumGetUUIDP(plan_value(0, 1, &isnull));
	worker_wake();
}

/* A text that must be there. */
static Datum
required(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, psprintf("/%s", name), "required", "is required");
	return PG_GETARG_DATUM(number);
}

/* When a lease that begins now ends. */
static TimestampTz
lease_end(FunctionCallInfo fcinfo, int number)
{
	int64		seconds = LEASE_SECONDS;

	if (!PG_ARGISNULL(number))
	{
		Interval   *lease = PG_GETARG_INTERVAL_P(number);

		seconds = lease->time / USECS_PER_SEC + (int64) lease->day * SECS_PER_DAY;
		if (lease->month != 0 || seconds < 1 || seconds > MOST_LEASE_SECONDS)
			problem_raise_at(PROBLEM_VALIDATION_FAILED, "/lease", "range", "must be from 1 second to 1 day");
	}
	return clock_now() + seconds * USECS_PER_SEC;
}

static bool
lock_kind(int32 tenant_id, const char *kind, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, hash_bytes((const unsigned char *) kind, strlen(kind)), LOCK_JOB_KIND);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/* A tenant and kind that may have a job to claim, a row of select_candidates. */
typedef struct Candidate
{
	int32		tenant_id;
	char	   *kind;
	int32		limit;			/* running at once; 0 is without */
	int32		attempts;
	char	   *slug;
} Candidate;

/* The columns of select_candidates. */
enum
{
	COLUMN_CANDIDATE_TENANT_ID = 1, COLUMN_CANDIDATE_KIND, COLUMN_CANDIDATE_LIMIT, COLUMN_CANDIDATE_MAX_ATTEMPTS, COLUMN_CANDIDATE_SLUG
};

static void
read_candidate(SPITupleTable *table, uint64 number, Candidate *candidate)
{
	HeapTuple	row = table->vals[number];
	bool		isnull;

	candidate->tenant_id = DatumGetInt32(SPI_getbinval(row, table->tupdesc, COLUMN_CANDIDATE_TENANT_ID, &isnull));
	candidate->kind = TextDatumGetCString(SPI_getbinval(row, table->tupdesc, COLUMN_CANDIDATE_KIND, &isnull));
	candidate->limit = DatumGetInt32(SPI_getbinval(row, table->tupdesc, COLUMN_CANDIDATE_LIMIT, &isnull));
	candidate->attempts = DatumGetInt32(SPI_getbinval(row, table->tupdesc, COLUMN_CANDIDATE_MAX_ATTEMPTS, &isnull));
	candidate->slug = TextDatumGetCString(SPI_getbinval(row, table->tupdesc, COLUMN_CANDIDATE_SLUG, &isnull));
}

/* Claim the next job of a tenant and kind; inside SPI.  False when none is free or the limit is reached. */
static bool
claim(const Candidate *candidate, Datum worker, TimestampTz lease_until, bool wait)
{
	Datum		values[5] = {Int32GetDatum(candidate->tenant_id), CStringGetTextDatum(candidate->kind),
	TimestampTzGetDatum(clock_now()), Int32GetDatum(candidate->attempts)};
	uint64		lost;
	bool		isnull;

	if (!lock_kind(candidate->tenant_id, candidate->kind, wait))
		return false;
	lost = plan_execute(&end_lost, values, NULL, false, 0);
	figures_add(FIGURE_JOBS_FAILED, lost);
	plan_execute(&count_running, values, NULL, false, 1);
	if (candidate->limit > 0 && DatumGetInt64(plan_value(0, 1, &isnull)) >= candidate->limit)
		return false;
	values[3] = worker;
	values[4] = TimestampTzGetDatum(lease_until);
	return plan_execute(&claim_next, values, NULL, false, 0) == 1;
}

/* The claimed job, a row of SPI_tuptable, for its worker. */
static void
write_claimed(StringInfo out, const Candidate *candidate)
{
	bool		isnull;
	Datum		position;

	json_literal(out, "{\"tenant\":");
	json_string(out, candidate->slug);
	json_literal(out, ",\"jobId\":");
	json_id(out, DatumGetUUIDP(plan_value(0, COLUMN_CLAIMED_ID, &isnull)), QEHS_ID_JOB);
	json_literal(out, ",\"kind\":");
	json_string(out, candidate->kind);
	json_literal(out, ",\"arguments\":");
	json_jsonb(out, DatumGetJsonbP(plan_value(0, COLUMN_CLAIMED_ARGUMENTS, &isnull)));
	json_literal(out, ",\"position\":");
	position = plan_value(0, COLUMN_CLAIMED_POSITION, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_jsonb(out, DatumGetJsonbP(position));
	json_literal(out, ",\"attempts\":");
	json_int(out, DatumGetInt32(plan_value(0, COLUMN_CLAIMED_ATTEMPTS, &isnull)));
	appendStringInfoChar(out, '}');
}

/* The arguments of job_claim. */
enum
{
	CLAIM_KINDS, CLAIM_WORKER, CLAIM_LEASE, CLAIM_WAIT
};

/* job_claim(kinds, worker, lease, wait) */
Datum
qehs_job_claim(PG_FUNCTION_ARGS)
{
	Datum		values[2] = {required(fcinfo, CLAIM_KINDS, "kinds"), TimestampTzGetDatum(clock_now())};
	Datum		worker = required(fcinfo, CLAIM_WORKER, "worker");
	TimestampTz lease_until = lease_end(fcinfo, CLAIM_LEASE);
	bool		wait = PG_ARGISNULL(CLAIM_WAIT) || PG_GETARG_BOOL(CLAIM_WAIT);
	SPITupleTable *candidates;
	Candidate	candidate;
	StringInfoData out;
	uint64		rows;
	bool		found = false;

	json_begin(&out);
	SPI_connect();
	rows = plan_execute(&select_candidates, values, NULL, false, 0);
	candidates = SPI_tuptable;
	for (uint64 i = 0; i < rows && !found; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_candidate(candidates, i, &candidate);
		found = claim(&candidate, worker, lease_until, wait);
	}
	if (found)
		write_claimed(&out, &candidate);
	SPI_finish();
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(json_datum(&out));
}

/* The first arguments of what a worker calls for a job that it holds. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_JOB_ID, ARGUMENT_WORKER
};

/* Fill tenant, job and worker. */
static void
take_held(FunctionCallInfo fcinfo, Datum *values, pg_uuid_t *id)
{
	values[0] = required(fcinfo, ARGUMENT_TENANT, "tenant");
	if (!argument_id(fcinfo, ARGUMENT_JOB_ID, QEHS_ID_JOB, id))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such job");
	values[1] = UUIDPGetDatum(id);
	values[2] = required(fcinfo, ARGUMENT_WORKER, "worker");
}

pg_noreturn static void
not_held(void)
{
	problem_raise(PROBLEM_CONFLICT, "Give it up: another worker has it now, or it has ended.", "the worker does not hold the job");
}

/* An argument that may be NULL. */
static void
take_argument(FunctionCallInfo fcinfo, int number, Datum *values, char *nulls, int place)
{
	nulls[place] = PG_ARGISNULL(number) ? 'n' : ' ';
	values[place] = PG_ARGISNULL(number) ? (Datum) 0 : PG_GETARG_DATUM(number);
}

/* The events of the work are those of the request that asked for it. */
static void
take_trace(RequestContext *context, const Jsonb *arguments)
{
	char	   *trace = json_member_text(&arguments->root, "traceId");

	if (trace && strlen(trace) == sizeof(context->trace_id) - 1)
		strlcpy(context->trace_id, trace, sizeof(context->trace_id));
}

void
job_enter(FunctionCallInfo fcinfo, HeldJob *job)
{
	MemoryContext memory = CurrentMemoryContext;
	pg_uuid_t	id;
	Datum		values[4];
	int32		tenant_id;
	Datum		note;
	bool		isnull;

	take_held(fcinfo, values, &id);
	values[3] = TimestampTzGetDatum(clock_now());
	SPI_connect();
	if (plan_execute(&select_held, values, NULL, false, 1) == 0)
		not_held();
	tenant_id = DatumGetInt32(plan_value(0, COLUMN_HELD_TENANT_ID, &isnull));
	MemoryContextSwitchTo(memory);
	job->arguments = DatumGetJsonbPCopy(plan_value(0, COLUMN_HELD_ARGUMENTS, &isnull));
	job->started_at = DatumGetTimestampTz(plan_value(0, COLUMN_HELD_STARTED_AT, &isnull));
	job->cancelled = DatumGetBool(plan_value(0, COLUMN_HELD_CANCEL_REQUESTED, &isnull));
	note = plan_value(0, COLUMN_HELD_ON_BEHALF, &isnull);
	job->context = isnull ? context_system(tenant_id) : delegate_enter(tenant_id, DatumGetJsonbPCopy(note));
	SPI_finish();
	take_trace(job->context, job->arguments);
}

/* job_begin(tenant, job_id, worker): act as who asked for the job, until the transaction ends. */
Datum
qehs_job_begin(PG_FUNCTION_ARGS)
{
	HeldJob		job;

	job_enter(fcinfo, &job);
	PG_RETURN_VOID();
}

/* The arguments of job_heartbeat behind those of take_held. */
enum
{
	HEARTBEAT_LEASE = 3, HEARTBEAT_DONE, HEARTBEAT_TOTAL, HEARTBEAT_POSITION
};

/* job_heartbeat(tenant, job_id, worker, lease, done, total, position): whether the worker is to go on. */
Datum
qehs_job_heartbeat(PG_FUNCTION_ARGS)
{
	pg_uuid_t	id;
	Datum		values[7];
	char		nulls[8] = "       ";
	bool		go_on;
	bool		isnull;

	take_held(fcinfo, values, &id);
	values[3] = TimestampTzGetDatum(lease_end(fcinfo, HEARTBEAT_LEASE));
	for (int i = HEARTBEAT_DONE; i <= HEARTBEAT_POSITION; i++)
		take_argument(fcinfo, i, values, nulls, i);
	SPI_connect();
	if (plan_execute(&renew, values, nulls, false, 0) == 0)
		not_held();
	go_on = !DatumGetBool(plan_value(0, 1, &isnull));
	SPI_finish();
	PG_RETURN_BOOL(go_on);
}

/* The arguments of job_finish behind those of take_held. */
enum
{
	FINISH_RESULT = 3, FINISH_ROW_COUNT
};

/* job_finish(tenant, job_id, worker, result, row_count) */
Datum
qehs_job_finish(PG_FUNCTION_ARGS)
{
	pg_uuid_t	id;
	Datum		values[6];
	char		nulls[7] = "      ";

	take_held(fcinfo, values, &id);
	values[3] = TimestampTzGetDatum(clock_now());
	take_argument(fcinfo, FINISH_RESULT, values, nulls, 4);
	take_argument(fcinfo, FINISH_ROW_COUNT, values, nulls, 5);
	SPI_connect();
	if (plan_execute(&finish, values, nulls, false, 0) == 0)
		not_held();
	SPI_finish();
	figures_add(FIGURE_JOBS_SUCCEEDED, 1);
	PG_RETURN_VOID();
}

/* The arguments of job_fail behind those of take_held. */
enum
{
	FAIL_ERROR = 3, FAIL_RETRY
};

/* job_fail(tenant, job_id, worker, error, retry): the state that the job has then. */
Datum
qehs_job_fail(PG_FUNCTION_ARGS)
{
	pg_uuid_t	id;
	Datum		values[6];
	char		nulls[7] = "      ";
	char	   *state;
	bool		isnull;

	take_held(fcinfo, values, &id);
	values[3] = TimestampTzGetDatum(clock_now());
	take_argument(fcinfo, FAIL_ERROR, values, nulls, 4);
	values[5] = BoolGetDatum(PG_ARGISNULL(FAIL_RETRY) || PG_GETARG_BOOL(FAIL_RETRY));
	SPI_connect();
	if (plan_execute(&fail, values, nulls, false, 0) == 0)
		not_held();
	state = TextDatumGetCString(plan_value(0, 1, &isnull));
	figures_add(strcmp(state, "failed") == 0 ? FIGURE_JOBS_FAILED : strcmp(state, "cancelled") == 0 ? FIGURE_JOBS_CANCELLED : FIGURE_JOB_RETRIES, 1);
	values[0] = CStringGetTextDatum(state);
	values[0] = SPI_datumTransfer(values[0], false, -1);
	SPI_finish();
	PG_RETURN_DATUM(values[0]);
}

/* job_release(tenant, job_id, worker): back into the queue, to go on later from its position. */
Datum
qehs_job_release(PG_FUNCTION_ARGS)
{
	pg_uuid_t	id;
	Datum		values[3];

	take_held(fcinfo, values, &id);
	SPI_connect();
	if (plan_execute(&release, values, NULL, false, 0) == 0)
		not_held();
	SPI_finish();
	PG_RETURN_VOID();
}
