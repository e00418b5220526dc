/*
 * worker.c
 *	  The background worker that runs jobs and housekeeping in a database.
 *
 * With shared_preload_libraries = 'qehs' the setting qehs.database names the
 * databases; each has a worker, which the postmaster starts again when it ends.
 * A job is worked on for a second at most, then it goes to the end of the queue.
 * While there is nothing to do the worker is outside of any transaction and holds
 * no lock; who queues a job wakes it by its latch, at commit.
 *
 * All that it does are calls of SQL functions that belong to qehs_owner, each in
 * a transaction of its own.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "job/job.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#define MAX_WORKERS 64
#define TURN_MS 1000
#define TICK_MS 60000
/* How long it waits when there is nothing to do, or when something went wrong. */
#define IDLE_MS 5000
#define RESTART_SECONDS 5

PGDLLEXPORT void qehs_worker_main(Datum argument);

typedef struct WorkerSlot
{
	pg_atomic_uint32 database;	/* 0: free */
	Latch	   *latch;			/* of a process's slot, which outlives the process */
} WorkerSlot;

static WorkerSlot *slots = NULL;
static char *databases = NULL;
static bool wake_wanted = false;

Size
worker_shmem_size(void)
{
	return mul_size(MAX_WORKERS, sizeof(WorkerSlot));
}

/* Called with AddinShmemInitLock held. */
void
worker_shmem_startup(void)
{
	bool		found;

	slots = ShmemInitStruct("qehs workers", worker_shmem_size(), &found);
	for (int i = 0; i < MAX_WORKERS && !found; i++)
	{
		pg_atomic_init_u32(&slots[i].database, 0);
		slots[i].latch = NULL;
	}
}

static void
on_transaction_end(XactEvent event, void *argument)
{
	if (!wake_wanted || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE))
		return;
	wake_wanted = false;
	for (int i = 0; event == XACT_EVENT_COMMIT && i < MAX_WORKERS; i++)
		if (pg_atomic_read_u32(&slots[i].database) == MyDatabaseId && slots[i].latch)
			SetLatch(slots[i].latch);
}

void
worker_wake(void)
{
	wake_wanted = slots != NULL;
}

/* Leave the slot, so that nobody wakes who has the process's slot next. */
static void
leave_slot(int code, Datum number)
{
	pg_atomic_write_u32(&slots[DatumGetInt32(number)].database, 0);
}

static void
take_slot(void)
{
	for (int i = 0; i < MAX_WORKERS; i++)
	{
		uint32		free = 0;

		if (!pg_atomic_compare_exchange_u32(&slots[i].database, &free, MyDatabaseId))
			continue;
		slots[i].latch = MyLatch;
		before_shmem_exit(leave_slot, Int32GetDatum(i));
		return;
	}
}

/* Run a statement of text arguments in a transaction; gives its only value as text in the context of the caller, or NULL. */
static char *
run(const char *sql, int count, const char *const *arguments)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[3];
	char	   *answer;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, sql);
	for (int i = 0; i < count; i++)
		values[i] = CStringGetTextDatum(arguments[i]);
	if (SPI_execute_with_args(sql, count, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run %s", sql);
	answer = SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;
	if (answer)
		answer = MemoryContextStrdup(caller, answer);
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return answer;
}

static bool
extension_is_there(void)
{
	bool		found;

	StartTransactionCommand();
	found = OidIsValid(get_extension_oid("qehs", true));
	CommitTransactionCommand();
	return found;
}

/* Work on one job for a while; false when there is none. */
static bool
work(const char *name)
{
	char	   *claimed = run("SELECT qehs.job_claim(ARRAY(SELECT kind FROM qehs.job_kind WHERE NOT outside), $1)", 1, &name);
	TimestampTz deadline = GetCurrentTimestamp() + TURN_MS * INT64CONST(1000);
	const char *arguments[3] = {NULL, NULL, name};
	bool		more = true;

	if (claimed == NULL)
		return false;
	arguments[0] = run("SELECT $1::pg_catalog.json ->> 'tenant'", 1, (const char *const *) &claimed);
	arguments[1] = run("SELECT $1::pg_catalog.json ->> 'jobId'", 1, (const char *const *) &claimed);
	while (more && GetCurrentTimestamp() < deadline)
	{
		CHECK_FOR_INTERRUPTS();
		more = strcmp(run("SELECT qehs.job_step($1, $2, $3)", 3, arguments), "t") == 0;
	}
	if (more)
		run("SELECT qehs.job_release($1, $2, $3)", 3, arguments);
	return true;
}

/* A turn: housekeeping when it is due, then a job.  Gives whether there may be more at once. */
static bool
turn(const char *name, TimestampTz *ticked)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!extension_is_there())
		return false;
	if (*ticked == 0)
		run("SELECT qehs.job_abandon($1)", 1, &name);
	if (now - *ticked >= TICK_MS * INT64CONST(1000))
	{
		run("SELECT qehs.tick()", 0, NULL);
		*ticked = now;
	}
	return work(name);
}

/* The same, with an error logged: whatever it was, the next turn tries again. */
static bool
guarded_turn(const char *name, TimestampTz *ticked, MemoryContext memory)
{
	volatile bool more = false;

	PG_TRY();
	{
		more = turn(name, ticked);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	MemoryContextReset(memory);
	return more;
}

/* Where a worker starts; its database is in bgw_extra. */
void
qehs_worker_main(Datum argument)
{
	char		name[NAMEDATALEN + 16];
	TimestampTz ticked = 0;
	MemoryContext memory;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	snprintf(name, sizeof(name), "worker of %s", MyBgworkerEntry->bgw_extra);
	take_slot();
	memory = AllocSetContextCreate(TopMemoryContext, "qehs worker", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(memory);
	for (;;)
	{
		bool		more;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		more = guarded_turn(name, &ticked, memory);
		if (!more)
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, IDLE_MS, PG_WAIT_EXTENSION);
	}
}

static void
register_worker(const char *database)
{
	BackgroundWorker worker = {.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished, .bgw_restart_time = RESTART_SECONDS};

	snprintf(worker.bgw_name, BGW_MAXLEN, "qehs worker of %s", database);
	strlcpy(worker.bgw_type, "qehs worker", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "qehs", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "qehs_worker_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_extra, database, BGW_EXTRALEN);
	RegisterBackgroundWorker(&worker);
}

void
worker_init(void)
{
	List	   *names;

	RegisterXactCallback(on_transaction_end, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;
	DefineCustomStringVariable("qehs.database",
							   "The databases in which a background worker runs jobs and housekeeping, separated by commas.",
							   NULL, &databases, "", PGC_POSTMASTER, 0, NULL, NULL, NULL);
	if (!SplitIdentifierString(pstrdup(databases), ',', &names))
		ereport(FATAL, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid list of names in setting \"qehs.database\"")));
	for (int i = 0; i < list_length(names); i++)
		register_worker(list_nth(names, i));
}
