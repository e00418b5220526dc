/*
 * job.h
 *	  Work in the background: qehs.job, who claims it and how it is run.
 *
 * A job is queued by the transaction that wants it done.  A worker claims it for
 * a time (the lease), which it renews while it works; when it dies the lease runs
 * out and another goes on from the last position kept.  A job of a kind that is
 * registered here is run inside the database, a step at a time, by the background
 * worker (worker.c) or by qehs.tick; others are run by programs outside, which use
 * the SQL functions of sql/37_jobs.sql.
 *
 * Order of locks: the job's row first, then what its work locks.
 */
#ifndef QEHS_JOB_H
#define QEHS_JOB_H

#include "caller/context.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/jsonb.h"

/* A job while a step of it runs; what it points to lives until the step ends. */
typedef struct Job
{
	int32		tenant_id;
	pg_uuid_t	id;
	Jsonb	   *arguments;
	Jsonb	   *position;		/* where to go on; NULL at the start */
	int64		done;			/* of total, for the progress */
	int64		total;			/* -1: not known */
	int64		row_count;
	Jsonb	   *result;			/* of a job that has ended; NULL is none */
	TimestampTz until;			/* a step that runs longer keeps others waiting */
} Job;

/* How a kind of job is run; its limits are in the table qehs.job_kind. */
typedef struct JobKind
{
	const char *name;

	/*
	 * Do a step as the caller or the system (context): change the job's members
	 * and say whether there is more to do.  What it wrote and where it goes on
	 * commit together.  It may be run again after an error, which undoes it.
	 */
	bool		(*step) (RequestContext *context, Job *job);
} JobKind;

/* Make a kind known that runs inside the database; once, at load. */
extern void job_register(const JobKind *kind);

/* What a job is to be. */
typedef struct JobOrder
{
	const char *kind;
	const char *subject;		/* what it works on; NULL is nothing that only one may work on */
	Jsonb	   *arguments;
	bool		restart;		/* an unfinished one of the subject begins anew, in place of a refusal */
	const pg_uuid_t *id;		/* what the job's object in the object store is called already; NULL: the job has none yet */
	int64		input_bytes;	/* of that object, which the job reads; 0 without one */
} JobOrder;

/* A job that a worker outside the database holds. */
typedef struct HeldJob
{
	RequestContext *context;	/* the caller that asked for it, with what it has still of its rights, or the system */
	Jsonb	   *arguments;
	TimestampTz started_at;
	bool		cancelled;		/* it is to stop */
} HeldJob;

/*
 * Act as the caller of a job until the transaction ends; the first arguments of the function are tenant, job_id and
 * worker.  Raises QH404, QH409 when the worker does not hold the job, QH403 when the caller may do nothing any more.
 */
extern void job_enter(FunctionCallInfo fcinfo, HeldJob *job);

/*
 * Queue a job of a tenant, to be run with the rights of the caller; NULL is the
 * system.  Sets its id.  Raises QH409 conflict while another of the kind and subject
 * is unfinished.  Inside SPI.
 */
extern void job_enqueue(int32 tenant_id, const RequestContext *caller, const JobOrder *order, pg_uuid_t *id);

/* ---- job_json.c ---- */

/* The columns that job_write reads, in its order.  The position of a job that works bit by bit may have the result so far. */
#define QEHS_JOB_COLUMNS "id, kind, state, done, total, created_at, started_at, finished_at, row_count," \
	" COALESCE(result, position -> 'result'), error"

/* The numbers of these columns in SPI_tuptable. */
enum
{
	JOB_COLUMN_ID = 1, JOB_COLUMN_KIND, JOB_COLUMN_STATE, JOB_COLUMN_DONE, JOB_COLUMN_TOTAL, JOB_COLUMN_CREATED_AT,
	JOB_COLUMN_STARTED_AT, JOB_COLUMN_FINISHED_AT, JOB_COLUMN_ROW_COUNT, JOB_COLUMN_RESULT, JOB_COLUMN_ERROR
};

/* Append what a caller is told of a job's result; owner is whatever the caller of job_write gave. */
typedef void (*JobResultWriter) (StringInfo out, const char *kind, const pg_uuid_t *id, Jsonb *result, void *owner);

/* Append the JSON of a job, a row of SPI_tuptable; its result as it is, or by a writer. */
extern void job_write(StringInfo out, uint64 row, JobResultWriter writer, void *owner);

/* The answer of a function that queued a job: 202, Location, Retry-After and the job.  Inside SPI, which it finishes. */
extern Datum job_answer(RequestContext *context, StringInfo out, const pg_uuid_t *id);

/* The header fields of a job's answer: it is never stored, and asked for again while it runs (row of SPI_tuptable). */
extern void job_headers(RequestContext *context, uint64 row);

/* ---- worker.c ---- */

/* Wake the background worker of the database, if there is one, when this transaction commits. */
extern void worker_wake(void);
extern void worker_init(void);
extern Size worker_shmem_size(void);
extern void worker_shmem_startup(void);

#endif							/* QEHS_JOB_H */
