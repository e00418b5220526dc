/*
 * module_migrate.c
 *	  qehs.module_migrate: a job that moves a module's records to a newer
 *	  definition.
 *
 * The job passes the records of older versions by id, in slices of a few, each
 * locked, moved and stored together; where it is and what it has found is its
 * position, so that it goes on there after a crash.  Records that have moved are
 * not of an older version any more: whatever is done twice does nothing.  A record
 * whose move is refused stays as it is; the first of them are told in the result.
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
#include "operation/module_migrate.h"
#include "permission/permission.h"
#include "record/record.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_module_migrate);

#define KIND "module_migrate"
/* Records that are in memory, and locked, at once. */
#define SLICE 50
/* Of refused records the result tells so many, in so many bytes. */
#define MAX_TOLD 100
#define MAX_TOLD_BYTES 65536

/* module_id + 0: by the primary key, in its order; without statistics another index and a sort of all rows looks as cheap */
#define OLDER " FROM qehs.record WHERE tenant_id = $1 AND module_id + 0 = $2 AND definition_version BETWEEN $3 AND $4" \
	" AND deleted_at IS NULL AND id > $5"

static KeptPlan lock_slice = {
	"SELECT " QEHS_RECORD_COLUMNS OLDER " ORDER BY id LIMIT $6 FOR NO KEY UPDATE",
	6, {INT4OID, INT4OID, INT4OID, INT4OID, UUIDOID, INT4OID}, NULL
};
static KeptPlan count_older = {"SELECT pg_catalog.count(*)" OLDER, 5, {INT4OID, INT4OID, INT4OID, INT4OID, UUIDOID}, NULL};

/* Where a job is, and what it has found so far. */
typedef struct Walk
{
	RequestContext *context;
	const ModuleDef *module;	/* the current definition */
	int32		from;			/* the oldest version that moves */
	int32		to;
	pg_uuid_t	last;			/* record */
	int64		migrated;
	int64		refused;
	int			told_count;
	StringInfoData told;		/* items of "failures" */
} Walk;

static void
report(Walk *walk, const pg_uuid_t *id, const char *detail)
{
	walk->refused++;
	if (walk->told_count == MAX_TOLD || walk->told.len + strlen(detail) > MAX_TOLD_BYTES)
		return;
	if (walk->told_count++ > 0)
		appendStringInfoChar(&walk->told, ',');
	json_literal(&walk->told, "{\"id\":");
	json_id(&walk->told, id, QEHS_ID_RECORD);
	/* {"errors":[…]} without its opening brace */
	appendStringInfo(&walk->told, ",%s", detail + 1);
}

/* What a refused record is told of a unique value that another record has. */
static char *
conflict_detail(const RequestContext *context, const Change *change)
{
	ViolationList violations = {.count = 0};

	taken_tell_change(context, change, &violations);
	return violation_json(&violations);
}

/* Move the records that SPI_tuptable holds; each stays as it is that cannot move. */
static void
move_rows(Walk *walk, int count)
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
		record_move(walk->context, &before[i], walk->to, &after[i], &violations);
		change_of[i] = change_count;
		if (violations.count > 0)
			details[i] = violation_json(&violations);
		else
			changes[change_count++] = change_make(AUDIT_MIGRATE, &before[i], &after[i]);
	}
	record_apply(walk->context, changes, change_count, false);
	for (int i = 0; i < count; i++)
	{
		const Change *change = &changes[change_of[i]];

		if (details[i] == NULL && change->outcome == CHANGE_VALUE_TAKEN)
			details[i] = conflict_detail(walk->context, change);
		if (details[i])
			report(walk, &before[i].id, details[i]);
		else
			walk->migrated++;
	}
}

/* What lock_slice and count_older are about. */
static void
take_arguments(const Walk *walk, Datum *values)
{
	values[0] = Int32GetDatum(walk->context->tenant_id);
	values[1] = Int32GetDatum(walk->module->module_id);
	values[2] = Int32GetDatum(walk->from);
	values[3] = Int32GetDatum(walk->to - 1);
	values[4] = UUIDPGetDatum(&walk->last);
	values[5] = Int32GetDatum(SLICE);
}

/* Lock and move the next records behind the last; gives how many there were. */
static int
run_slice(Walk *walk)
{
	Datum		values[6];
	SPITupleTable *found;
	int			rows;
	bool		isnull;

	take_arguments(walk, values);
	rows = plan_execute(&lock_slice, values, NULL, false, 0);
	found = SPI_tuptable;
	if (rows > 0)
	{
		walk->last = *DatumGetUUIDP(plan_value(rows - 1, 1, &isnull));
		move_rows(walk, rows);
	}
	SPI_freetuptable(found);
	return rows;
}

/* Slices until the time is up; inside SPI.  False when nothing follows. */
static bool
run_slices(Walk *walk, Job *job)
{
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs migrated records", ALLOCSET_DEFAULT_SIZES);
	int			rows;

	do
	{
		MemoryContext caller = MemoryContextSwitchTo(memory);

		CHECK_FOR_INTERRUPTS();
		rows = run_slice(walk);
		job->done += rows;
		MemoryContextSwitchTo(caller);
		MemoryContextReset(memory);
	} while (rows == SLICE && GetCurrentTimestamp() < job->until);
	return rows == SLICE;
}

/* What the caller may do has to hold in each step. */
static const ModuleDef *
find_module(const RequestContext *context, const char *key)
{
	const ModuleDef *module;

	permission_require_definition(context, key, "migrate");
	module = key ? module_lookup(context->tenant_id, key) : NULL;
	if (module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	permission_require(context, module, ACTION_UPDATE, NULL);
	return module;
}

/* Take up the walk from the job's arguments and its position. */
static void
begin_walk(RequestContext *context, const Job *job, Walk *walk)
{
	const JsonbContainer *position = job->position ? &job->position->root : NULL;
	JsonbValue	told;
	int32		count;

	memset(walk, 0, sizeof(*walk));
	walk->context = context;
	walk->module = find_module(context, json_member_text(&job->arguments->root, "moduleKey"));
	json_member_int(&job->arguments->root, "fromVersion", &walk->from);
	json_member_int(&job->arguments->root, "toVersion", &walk->to);
	initStringInfo(&walk->told);
	if (position == NULL)
		return;
	walk->last = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(json_member_text(position, "after"))));
	walk->migrated = json_member_int(position, "migrated", &count) ? count : 0;
	walk->refused = json_member_int(position, "failed", &count) ? count : 0;
	if (!json_member(position, "failures", 8, &told))
		return;
	walk->told_count = JsonContainerSize(told.val.binary.data);
	for (int i = 0; i < walk->told_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(&walk->told, ',');
		json_jsonb_value(&walk->told, getIthJsonbValueFromContainer(told.val.binary.data, i));
	}
}

/* {"migrated","failed","failures"}, with "after" in front for a position. */
static Jsonb *
walk_json(const Walk *walk, bool with_place)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (with_place)
		appendStringInfo(&out, "\"after\":\"%s\",", DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&walk->last))));
	appendStringInfo(&out, "\"migrated\":" INT64_FORMAT ",\"failed\":" INT64_FORMAT ",\"failures\":[%s]}",
					 walk->migrated, walk->refused, walk->told.data);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

static bool
migrate_step(RequestContext *context, Job *job)
{
	Walk		walk;
	Datum		values[6];
	int64		migrated;
	int64		refused;
	bool		more;
	bool		isnull;

	begin_walk(context, job, &walk);
	migrated = walk.migrated;
	refused = walk.refused;
	module_hold_slots(context->tenant_id, walk.module->module_id);
	SPI_connect();
	if (job->total < 0)
	{
		take_arguments(&walk, values);
		plan_execute(&count_older, values, NULL, true, 1);
		job->total = DatumGetInt64(plan_value(0, 1, &isnull));
	}
	more = run_slices(&walk, job);
	SPI_finish();
	figures_add(FIGURE_MIGRATE_BATCHES, 1);
	figures_add(FIGURE_MIGRATED_RECORDS, (uint64) (walk.migrated - migrated));
	figures_add(FIGURE_FAILED_MIGRATIONS, (uint64) (walk.refused - refused));
	figures_note_time(FIGURE_MIGRATE_TIME);
	job->row_count = walk.migrated;
	job->position = walk_json(&walk, true);
	job->result = more ? NULL : walk_json(&walk, false);
	return more;
}

const JobKind module_migrate_job = {KIND, migrate_step};

static int32
version_argument(FunctionCallInfo fcinfo, int index, const char *path, int32 low, int32 high, int32 otherwise)
{
	int32		version = PG_ARGISNULL(index) ? otherwise : PG_GETARG_INT32(index);

	if (version < low || version > high)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, path, "range", "must be from %d to %d", low, high);
	return version;
}

/* The arguments of qehs.module_migrate. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_FROM_VERSION, ARGUMENT_TO_VERSION
};

/* module_migrate(module_key, from_version, to_version) */
Datum
qehs_module_migrate(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_MODULES_WRITE);
	const ModuleDef *module = find_module(context, argument_text(fcinfo, ARGUMENT_MODULE_KEY));
	int32		to = version_argument(fcinfo, ARGUMENT_TO_VERSION, "/toVersion", 1, module->version, module->version);
	int32		from = version_argument(fcinfo, ARGUMENT_FROM_VERSION, "/fromVersion", 1, to, 1);
	JobOrder	order = {.kind = KIND, .subject = psprintf("module %d", module->module_id)};
	StringInfoData arguments;
	StringInfoData out;
	pg_uuid_t	id;

	initStringInfo(&arguments);
	json_literal(&arguments, "{\"moduleKey\":");
	json_string(&arguments, module->key);
	appendStringInfo(&arguments, ",\"fromVersion\":%d,\"toVersion\":%d}", from, to);
	order.arguments = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(arguments.data)));
	json_begin(&out);
	SPI_connect();
	job_enqueue(context->tenant_id, context, &order, &id);
	PG_RETURN_DATUM(job_answer(context, &out, &id));
}
