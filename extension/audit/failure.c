/*
 * failure.c
 *	  A transaction beside the one that is about to be undone.
 *
 * PostgreSQL has no autonomous transactions; a dynamic background worker is the
 * server's own way to have one.  What is to be written fits into the worker's
 * start parameters: the worker has qehs.signature_failed count it and appends the event.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "audit/audit.h"
#include "audit/failure.h"
#include "base/clock.h"
#include "base/id.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PGDLLEXPORT void qehs_failure_main(Datum argument);

/* The caller waits for the worker, and the worker this long for a lock at most. */
#define LOCK_TIMEOUT_MS "2000"

typedef struct FailureNote
{
	TimestampTz at;
	Oid			database;
	int32		tenant_id;
	pg_uuid_t	user_id;
	pg_uuid_t	record_id;
	char		trace_id[32];	/* without an end, or empty */
	char		address[40];
} FailureNote;

StaticAssertDecl(sizeof(FailureNote) <= BGW_EXTRALEN, "a note fits into the parameters of a worker");

static void
write_note(const FailureNote *note)
{
	static const pg_uuid_t none = {{0}};
	Oid			types[3] = {INT4OID, UUIDOID, TIMESTAMPTZOID};
	Datum		values[3] = {Int32GetDatum(note->tenant_id), UUIDPGetDatum(&note->user_id), TimestampTzGetDatum(note->at)};
	AuditHead	head = {note->tenant_id, 0, &note->user_id, note->at, pnstrdup(note->trace_id, sizeof(note->trace_id)), note->address};
	AuditEntry	entry = {.record_id = &note->user_id,.action = "user.signature_failed"};
	char		id[QEHS_ID_LENGTH + 1];

	if (SPI_execute_with_args("SELECT qehs.signature_failed($1, $2, $3)", 3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "qehs.signature_failed could not be called");
	if (memcmp(&note->record_id, &none, sizeof(none)) != 0)
	{
		id_format(&note->record_id, QEHS_ID_RECORD, id);
		entry.changes = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("[{\"path\":\"/recordId\",\"to\":\"%s\"}]", id))));
	}
	audit_append(&head, &entry);
}

void
qehs_failure_main(Datum argument)
{
	FailureNote note;

	memcpy(&note, MyBgworkerEntry->bgw_extra, sizeof(note));
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(note.database, InvalidOid, 0);
	SetConfigOption("lock_timeout", LOCK_TIMEOUT_MS, PGC_USERSET, PGC_S_SESSION);
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	write_note(&note);
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/* Start the worker and wait until it has ended; false when there is no room for one. */
static bool
run_worker(const FailureNote *note)
{
	BackgroundWorker worker = {.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished, .bgw_restart_time = BGW_NEVER_RESTART, .bgw_notify_pid = MyProcPid};
	BackgroundWorkerHandle *handle;

	strlcpy(worker.bgw_name, "qehs failed signature", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "qehs failed signature", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "qehs", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "qehs_failure_main", BGW_MAXLEN);
	memcpy(worker.bgw_extra, note, sizeof(*note));
	return RegisterDynamicBackgroundWorker(&worker, &handle) && WaitForBackgroundWorkerShutdown(handle) == BGWH_STOPPED;
}

void
failure_note(const RequestContext *context, const pg_uuid_t *record_id)
{
	FailureNote note = {.database = MyDatabaseId, .tenant_id = context->tenant_id, .user_id = context->actor_id,
	.at = clock_now()};

	if (record_id)
		note.record_id = *record_id;
	memcpy(note.trace_id, context->trace_id, sizeof(note.trace_id));
	/* an IPv6 address without a zone has at most 39 characters */
	if (context->address && strlen(context->address) < sizeof(note.address))
		strlcpy(note.address, context->address, sizeof(note.address));
	if (!run_worker(&note))
		ereport(LOG,
				(errmsg("a wrong credential of a signature in tenant %d could not be written to the audit trail: no background worker", note.tenant_id),
				 errhint("Raise max_worker_processes.")));
}
