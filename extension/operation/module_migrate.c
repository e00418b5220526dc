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

#include "base/argument.h"
#include "base/figures.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_module_migrate);

#define MAX_BATCH 10000
/* Records that are in memory at once. */
#define SLICE 200

/* module_id + 0: by the primary key, in its order; without statistics another index and a sort of all rows looks as cheap */
#define OF_VERSION " FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2 AND definition_version = $3" \
	" AND deleted_at IS NULL AND id > $4"

static KeptPlan lock_slice = {
	"SELECT " QEHS_RECORD_COLUMNS OF_VERSION " ORDER BY id LIMIT $5 FOR NO KEY UPDATE",
	5, {INT4OID, INT4OID, INT4OID, UUIDOID, INT4OID}, NULL
};
static KeptPlan count_rest = {"SELECT pg_catalog.count(*)" OF_VERSION, 4, {INT4OID, INT4OID, INT4OID, UUIDOID}, NULL};

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

/* What an item of "failed" says of a unique value that another record has. */
static char *
conflict_detail(const Change *change)
{
	ViolationList violations = {.count = 0};

	violation_add(&violations, psprintf("/payload/%s", module_field_key(change->taken, change->after->definition_version)), "unique",
				  "is used by another record");
	return violation_json(&violations);
}

/* Move the records that SPI_tuptable holds; each stays as it is that cannot move. */
static void
move_rows(Batch *batch, int count)
{
	Record	   *before = palloc(sizeof(Record) * count);
	Record	   *after = palloc(sizeof(Record) * count);
	Change	   *changes = palloc(sizeof(Change) * count);
	const char **details = palloc0(sizeof(char *) * count);
	int		   *change_of = palloc(sizeof(int) * count);
	int			change_count = 0;

	for (int i = 0; i < count; i++)
		record_read_row(i, &before[i]);
	for (int i = 0; i < count; i++)
	{
		ViolationList violations;

		CHECK_FOR_INTERRUPTS();
		violations.count = 0;
		record_move(batch->context, &before[i], batch->to, &after[i], &violations);
		change_of[i] = change_count;
		if (violations.count > 0)
			details[i] = violation_json(&violations);
		else
			changes[change_count++] = change_make(AUDIT_MIGRATE, &before[i], &after[i]);
	}
	record_apply(batch->context, changes, change_count, false);
	for (int i = 0; i < count; i++)
	{
		const Change *change = &changes[change_of[i]];

		if (details[i] == NULL && change->outcome == CHANGE_VALUE_TAKEN)
			details[i] = conflict_detail(change);
		if (details[i])
			report(batch, &before[i].id, details[i]);
		else
			batch->migrated++;
	}
}

/* Lock and move the next records after last, at most count; gives how many there were and moves last. */
static int
run_slice(Batch *batch, int32 count, pg_uuid_t *last)
{
	Datum		values[5] = {Int32GetDatum(batch->context->tenant_id), Int32GetDatum(batch->module->module_id),
	Int32GetDatum(batch->from), UUIDPGetDatum(last), Int32GetDatum(count)};
	int			rows = plan_execute(&lock_slice, values, NULL, false, 0);
	SPITupleTable *found = SPI_tuptable;
	bool		isnull;

	if (rows > 0)
	{
		*last = *DatumGetUUIDP(plan_value(rows - 1, 1, &isnull));
		move_rows(batch, rows);
	}
	SPI_freetuptable(found);
	return rows;
}

/* The batch after the id, which moves on; inside SPI.  False when nothing follows. */
static bool
run_batch(Batch *batch, int32 size, pg_uuid_t *last)
{
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs migrated records", ALLOCSET_DEFAULT_SIZES);

	module_hold_slots(batch->context->tenant_id, batch->module->module_id);
	while (size > 0)
	{
		MemoryContext caller = MemoryContextSwitchTo(memory);
		int			rows;

		CHECK_FOR_INTERRUPTS();
		rows = run_slice(batch, Min(size, SLICE), last);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(memory);
		if (rows == 0)
			return false;
		size -= rows;
	}
	return true;
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
