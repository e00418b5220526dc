/*
 * module_migrate.c
 *	  qehs.module_migrate: one batch of a module's records to a newer definition.
 *
 * Batches go by id, so a walk that was cut off goes on after the last id, or
 * from the start: records that have moved are not of the old version any more.
 * A batch is one transaction of the caller, who commits and pauses between
 * them.  A record whose move is refused stays as it is and is reported.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "audit/audit.h"
#include "base/argument.h"
#include "base/figures.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "record/record.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

PG_FUNCTION_INFO_V1(qehs_module_migrate);

#define MAX_BATCH 10000

/* module_id + 0: by the primary key, in its order; without statistics another index and a sort of all rows looks as cheap */
static KeptPlan select_batch = {
	"SELECT id FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2 AND definition_version = $3"
	" AND deleted_at IS NULL AND id > $4 ORDER BY id LIMIT $5",
	5, {INT4OID, INT4OID, INT4OID, UUIDOID, INT4OID}, NULL
};
static KeptPlan count_rest = {
	"SELECT pg_catalog.count(*) FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2 AND definition_version = $3"
	" AND deleted_at IS NULL AND id > $4",
	4, {INT4OID, INT4OID, INT4OID, UUIDOID}, NULL
};

/* What a batch is about. */
typedef struct Batch
{
	RequestContext *context;
	const ModuleDef *module;	/* the current definition */
	int32		from;
	int32		to;
	int64		migrated;
	int64		failed_count;
	StringInfoData failed;		/* items of "failed" */
} Batch;

static void
report(Batch *batch, const pg_uuid_t *id, const char *detail)
{
	batch->failed_count++;
	if (batch->failed.len > 0)
		appendStringInfoChar(&batch->failed, ',');
	json_literal(&batch->failed, "{\"id\":");
	json_id(&batch->failed, id, QEHS_ID_RECORD);
	/* {"errors":[…]} without its opening brace */
	appendStringInfo(&batch->failed, ",%s", detail + 1);
}

/* Move one record; NULL, or {"errors":[…]} when it cannot.  Raises a conflict of a unique value. */
static char *
move_one(Batch *batch, const pg_uuid_t *id, MemoryContext memory)
{
	ViolationList violations = {0};
	const ModuleDef *module;
	Record		before;
	Record		after;
	AuditEvent	event = {AUDIT_MIGRATE, &before, &after, NULL, NULL, NULL};
	char	   *detail = NULL;

	SPI_connect();
	record_fetch(batch->context, id, RECORD_FOR_UPDATE, true, &before);
	/* another session was faster, or deleted it */
	if (!before.deleted && before.definition_version == batch->from)
	{
		module = record_move(batch->context, &before, batch->to, &after, &violations);
		if (violations.count == 0)
		{
			record_store(batch->context, module, &before, &after);
			audit_append(batch->context, module, &event);
			batch->migrated++;
		}
		else
			detail = MemoryContextStrdup(memory, violation_json(&violations));
	}
	SPI_finish();
	return detail;
}

/* move_one inside an internal subtransaction, so that a conflict undoes this record only. */
static char *
move_guarded(Batch *batch, const pg_uuid_t *id, MemoryContext memory)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile detail = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		detail = move_one(batch, id, memory);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != MAKE_SQLSTATE('Q', 'H', '4', '0', '9') || error->detail == NULL)
			ReThrowError(error);
		detail = error->detail;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return detail;
}

/* The batch after the id, which moves on; inside SPI.  False when nothing follows. */
static bool
run_batch(Batch *batch, int32 size, pg_uuid_t *last)
{
	Datum		values[5] = {Int32GetDatum(batch->context->tenant_id), Int32GetDatum(batch->module->module_id),
	Int32GetDatum(batch->from), UUIDPGetDatum(last), Int32GetDatum(size)};
	bool		guarded = module_lookup_version(batch->context->tenant_id, batch->module->module_id, batch->to)->has_unique;
	uint64		rows = plan_execute(&select_batch, values, NULL, false, 0);
	pg_uuid_t  *ids = palloc(sizeof(pg_uuid_t) * Max(rows, 1));
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs migrated record", ALLOCSET_DEFAULT_SIZES);
	bool		isnull;

	for (uint64 i = 0; i < rows; i++)
		ids[i] = *DatumGetUUIDP(plan_value(i, 1, &isnull));
	for (uint64 i = 0; i < rows; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(memory);
		char	   *detail;

		CHECK_FOR_INTERRUPTS();
		detail = guarded ? move_guarded(batch, &ids[i], memory) : move_one(batch, &ids[i], memory);
		if (detail)
			report(batch, &ids[i], detail);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(memory);
	}
	if (rows > 0)
		*last = ids[rows - 1];
	return rows == (uint64) size;
}

static int32
version_argument(FunctionCallInfo fcinfo, int index, const char *path, int32 low, int32 high)
{
	int32		version = PG_ARGISNULL(index) ? high : PG_GETARG_INT32(index);

	if (version < low || version > high)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, path, "range", "must be from %d to %d", low, high);
	return version;
}

/* module_migrate(module_key, from_version, to_version, batch, after) */
Datum
qehs_module_migrate(PG_FUNCTION_ARGS)
{
	Batch		batch = {.context = context_require_scope(SCOPE_MODULES_WRITE)};
	pg_uuid_t	last = {{0}};
	int32		size = PG_ARGISNULL(3) ? 500 : PG_GETARG_INT32(3);
	int64		remaining = 0;
	bool		isnull;
	StringInfoData out;

	permission_require_definition(batch.context, argument_text(fcinfo, 0), "migrate");
	batch.module = PG_ARGISNULL(0) ? NULL : module_lookup(batch.context->tenant_id, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (batch.module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	permission_require(batch.context, batch.module, ACTION_UPDATE, NULL);
	if (PG_ARGISNULL(1))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/fromVersion", "required", "is required");
	batch.to = version_argument(fcinfo, 2, "/toVersion", 1, batch.module->version);
	batch.from = version_argument(fcinfo, 1, "/fromVersion", 1, batch.to);
	if (size < 1 || size > MAX_BATCH)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/batch", "range", "must be from 1 to %d", MAX_BATCH);
	if (!PG_ARGISNULL(4) && !id_parse(VARDATA_ANY(PG_GETARG_TEXT_PP(4)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(4)), QEHS_ID_RECORD, &last))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/after", "format", "must be the id of a record");
	json_begin(&out);
	initStringInfo(&batch.failed);
	SPI_connect();
	if (batch.from < batch.to && run_batch(&batch, size, &last))
	{
		Datum		values[4] = {Int32GetDatum(batch.context->tenant_id), Int32GetDatum(batch.module->module_id),
		Int32GetDatum(batch.from), UUIDPGetDatum(&last)};

		plan_execute(&count_rest, values, NULL, false, 1);
		remaining = DatumGetInt64(plan_value(0, 1, &isnull));
	}
	SPI_finish();
	figures_add(FIGURE_MIGRATE_BATCHES, 1);
	figures_add(FIGURE_MIGRATED_RECORDS, (uint64) batch.migrated);
	figures_add(FIGURE_FAILED_MIGRATIONS, (uint64) batch.failed_count);
	figures_note_time(FIGURE_MIGRATE_TIME);
	appendStringInfo(&out, "{\"migrated\":" INT64_FORMAT ",\"failed\":[%s],\"remaining\":" INT64_FORMAT ",\"nextAfter\":",
					 batch.migrated, batch.failed.len > 0 ? batch.failed.data : "", remaining);
	if (remaining > 0)
		json_id(&out, &last, QEHS_ID_RECORD);
	else
		json_literal(&out, "null");
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}
