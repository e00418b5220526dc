/*
 * figures.c
 *	  Counters of background work in shared memory, and qehs.metrics(), which
 *	  writes them and what else an operator watches as Prometheus's text.
 *
 * Each database has a row of atomic counters, taken at its first use; they start
 * at zero with the server, as counters may, and a transaction that rolls back
 * takes nothing back.  A database that finds all rows taken is not counted, nor
 * is one where the library is not preloaded.
 */
#include "base/compat.h"

#include <time.h>

#include "access/xlog.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lock.h"
#include "storage/shmem.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_metrics);
PG_FUNCTION_INFO_V1(qehs_tick_begin);
PG_FUNCTION_INFO_V1(qehs_tick_note);

#define MAX_DATABASES 64
#define MOST_EXPIRED 10000		/* counting stops there */

typedef struct FigureRow
{
	pg_atomic_uint32 database;	/* 0: free */
	pg_atomic_uint64 values[FIGURE_COUNT];
} FigureRow;

static FigureRow *rows = NULL;

/* What the tables and locks say: kept keys (as the planner estimates), expired ones, places of bulk loads, unfinished jobs. */
static KeptPlan select_figures = {
	"SELECT (SELECT GREATEST(c.reltuples, 0)::pg_catalog.int8 FROM pg_catalog.pg_class AS c WHERE c.oid = 'qehs.idempotency'::pg_catalog.regclass),"
	" (SELECT count(*) FROM (SELECT FROM qehs.tenant AS t CROSS JOIN LATERAL (SELECT FROM qehs.idempotency AS i"
	" WHERE i.tenant_id = t.id AND i.created_at > '-infinity' AND i.created_at < $3 - interval '24 hours' LIMIT $1) AS e LIMIT $1) AS old),"
	" (SELECT count(*) FROM pg_catalog.pg_locks AS l WHERE l.locktype = 'advisory' AND l.objsubid = 5 AND l.database = $2),"
	" j.queued, j.running, j.waiting FROM (SELECT count(*) FILTER (WHERE lease_until IS NULL OR lease_until < $3) AS queued,"
	" count(*) FILTER (WHERE lease_until >= $3) AS running,"
	" COALESCE(EXTRACT(epoch FROM $3 - pg_catalog.min(not_before) FILTER (WHERE not_before < $3 AND (lease_until IS NULL OR lease_until < $3))), 0)"
	"::pg_catalog.int8 AS waiting FROM qehs.job WHERE finished_at IS NULL) AS j",
	3, {INT8OID, OIDOID, TIMESTAMPTZOID}, NULL
};

static const struct
{
	const char *name;			/* NULL: another series of the one above */
	const char *labels;
	const char *type;
	const char *help;
}			described[FIGURE_COUNT] = {
	[FIGURE_TICKS] = {"qehs_tick_runs_total", "", "counter", "Runs of qehs.tick in this database since the server started."},
	[FIGURE_TICK_TIME] = {"qehs_tick_last_run_timestamp_seconds", "", "gauge", "When qehs.tick ran last; 0 is not since the server started."},
	[FIGURE_REMOVED_KEYS] = {"qehs_tick_removed_rows_total", "{table=\"idempotency\"}", "counter", "Expired rows that qehs.tick removed."},
	[FIGURE_REMOVED_SECRETS] = {NULL, "{table=\"secret\"}", NULL, NULL},
	[FIGURE_MIGRATE_BATCHES] = {"qehs_migrate_batches_total", "", "counter", "Batches of qehs.module_migrate."},
	[FIGURE_MIGRATE_TIME] = {"qehs_migrate_last_batch_timestamp_seconds", "", "gauge", "When the last one ended; 0 is not since the server started."},
	[FIGURE_MIGRATED_RECORDS] = {"qehs_migrate_records_total", "{outcome=\"migrated\"}", "counter", "Records that qehs.module_migrate moved or could not move."},
	[FIGURE_FAILED_MIGRATIONS] = {NULL, "{outcome=\"failed\"}", NULL, NULL},
	[FIGURE_JOBS_SUCCEEDED] = {"qehs_jobs_ended_total", "{status=\"succeeded\"}", "counter", "Jobs that ended in this database since the server started."},
	[FIGURE_JOBS_FAILED] = {NULL, "{status=\"failed\"}", NULL, NULL},
	[FIGURE_JOBS_CANCELLED] = {NULL, "{status=\"cancelled\"}", NULL, NULL},
	[FIGURE_JOB_RETRIES] = {"qehs_job_retries_total", "", "counter", "Failures after which a job was queued again."},
	[FIGURE_JOB_STEPS] = {"qehs_job_steps_total", "", "counter", "Steps of jobs that run inside the database."},
};

Size
figures_shmem_size(void)
{
	return mul_size(MAX_DATABASES, sizeof(FigureRow));
}

/* Called with AddinShmemInitLock held. */
void
figures_shmem_startup(void)
{
	bool		found;

	rows = ShmemInitStruct("qehs figures", figures_shmem_size(), &found);
	for (int i = 0; i < MAX_DATABASES && !found; i++)
	{
		pg_atomic_init_u32(&rows[i].database, 0);
		for (int figure = 0; figure < FIGURE_COUNT; figure++)
			pg_atomic_init_u64(&rows[i].values[figure], 0);
	}
}

/* The row of the current database; NULL when there is none. */
static FigureRow *
find_row(void)
{
	for (int i = 0; rows && i < MAX_DATABASES; i++)
	{
		uint32		owner = 0;

		if (pg_atomic_compare_exchange_u32(&rows[i].database, &owner, MyDatabaseId) || owner == MyDatabaseId)
			return &rows[i];
	}
	return NULL;
}

void
figures_add(Figure figure, uint64 amount)
{
	FigureRow  *row = find_row();

	if (row && amount > 0)
		pg_atomic_fetch_add_u64(&row->values[figure], (int64) amount);
}

void
figures_note_time(Figure figure)
{
	FigureRow  *row = find_row();

	if (row)
		pg_atomic_write_u64(&row->values[figure], (uint64) time(NULL));
}

static void
write_head(StringInfo out, const char *name, const char *type, const char *help)
{
	appendStringInfo(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
write_shared(StringInfo out)
{
	FigureRow  *row = find_row();
	const char *name = NULL;

	for (int figure = 0; row && figure < FIGURE_COUNT; figure++)
	{
		if (described[figure].name)
		{
			name = described[figure].name;
			write_head(out, name, described[figure].type, described[figure].help);
		}
		appendStringInfo(out, "%s%s " UINT64_FORMAT "\n", name, described[figure].labels, pg_atomic_read_u64(&row->values[figure]));
	}
}

static void
write_selected(StringInfo out)
{
	static const char *const names[] = {"qehs_idempotency_keys", "qehs_idempotency_keys_expired", "qehs_bulk_places_taken",
	"qehs_jobs_queued", "qehs_jobs_running", "qehs_job_oldest_due_seconds"};
	static const char *const helps[] = {"Idempotency keys that are kept, as the planner estimates.",
	"Of these, keys that are past their time and wait for qehs.tick; 10000 is that many or more.",
	"Places for bulk loads that are taken, of all tenants with a limit.", "Jobs that wait for a worker.",
	"Jobs that a worker is at.", "For how long the job has been due that waits longest; 0 when none does."};
	Datum		values[3] = {Int64GetDatum(MOST_EXPIRED), ObjectIdGetDatum(MyDatabaseId), TimestampTzGetDatum(clock_now())};

	SPI_connect();
	plan_execute(&select_figures, values, NULL, true, 1);
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		bool		isnull;
		int64		value = DatumGetInt64(plan_value(0, i + 1, &isnull));

		write_head(out, names[i], "gauge", helps[i]);
		appendStringInfo(out, "%s " INT64_FORMAT "\n", names[i], value);
	}
	SPI_finish();
}

Datum
qehs_metrics(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	json_begin(&out);
	write_selected(&out);
	write_shared(&out);
	PG_RETURN_DATUM(json_datum(&out));
}

/* tick_begin(): whether this transaction is the one that does the housekeeping now. */
Datum
qehs_tick_begin(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, LOCK_TICK);
	PG_RETURN_BOOL(!RecoveryInProgress() && LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL);
}

/* The arguments of qehs.tick_note. */
enum
{
	ARGUMENT_IDEMPOTENCY_KEYS, ARGUMENT_SECRETS
};

/* tick_note(idempotency_keys, secrets): what a run of tick removed. */
Datum
qehs_tick_note(PG_FUNCTION_ARGS)
{
	figures_add(FIGURE_TICKS, 1);
	figures_add(FIGURE_REMOVED_KEYS, (uint64) PG_GETARG_INT64(ARGUMENT_IDEMPOTENCY_KEYS));
	figures_add(FIGURE_REMOVED_SECRETS, (uint64) PG_GETARG_INT64(ARGUMENT_SECRETS));
	figures_note_time(FIGURE_TICK_TIME);
	PG_RETURN_VOID();
}
