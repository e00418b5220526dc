/*
 * schedule.c
 *	  Records whose time is over go by themselves, as the system.
 *
 * qehs.tick queues a job for each module that has "retention", once a day.  The job goes
 * through the rules of the current definition, and of each through the live records by
 * the index of what the time is counted from, and, of a rule that purges, through the deleted ones by
 * when they were deleted.  Times are counted back from now in the tenant's calendar:
 * the time of a record that was made on the 31st may be over a few days later so, never earlier.
 *
 * A batch is looked up without locks.  Then each record is locked as a person's deletion
 * locks it (change/apply.c), without waiting for one that somebody else has locked, and its time
 * is looked at once more.  What a legal hold covers, or a live record keeps, stays and is counted; the
 * next day it is looked at again.  A state that locks holds up people, not this.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/plan.h"
#include "calendar/calendar.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "retention/hold.h"
#include "retention/purge.h"
#include "retention/schedule.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_retention_due);

#define KIND "retention"
#define BATCH 50

static KeptPlan select_due = {
	"SELECT m.tenant_id, m.id, m.key FROM qehs.tenant AS t CROSS JOIN LATERAL (SELECT * FROM qehs.module AS d WHERE d.tenant_id = t.id AND d.retention_next <= $1"
	" FOR NO KEY UPDATE SKIP LOCKED) AS m WHERE t.suspended_at IS NULL",
	1, {TIMESTAMPTZOID}, NULL
};
static KeptPlan put_off = {
	"UPDATE qehs.module SET retention_next = $3 + interval '1 day' WHERE tenant_id = $1 AND id = $2", 3, {INT4OID, INT4OID, TIMESTAMPTZOID}, NULL
};
static KeptPlan select_created = {
	"SELECT created_at, id FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND deleted_at IS NULL AND created_at <= $3"
	" AND (created_at, id) > ($4, $5) ORDER BY created_at, id LIMIT 50",
	5, {INT4OID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID}, NULL
};

/* Which records of a rule are gone through. */
typedef enum Walk
{
	WALK_LIVE, WALK_DELETED, WALK_END
} Walk;

/* Where the job is, and what it has done: its position, and at the end its result. */
typedef struct Progress
{
	int32		rule;
	int32		scan;
	TimestampTz at;
	pg_uuid_t	id;
	int32		deleted;
	int32		purged;
	int32		held;			/* by a legal hold */
	int32		referred;		/* by a live record */
} Progress;

/* A rule while a batch of it is done. */
typedef struct Rule
{
	const ModuleDef *module;
	const ModuleRetention *retention;
	const ModuleField *field;	/* of RETENTION_FIELD */
	TimestampTz cutoff;			/* times up to it are over */
} Rule;

/* ---- position ---- */

static void
read_progress(const Job *job, Progress *progress)
{
	const JsonbContainer *source = job->position ? &job->position->root : NULL;

	memset(progress, 0, sizeof(*progress));
	progress->at = DT_NOBEGIN;
	if (source == NULL)
		return;
	json_member_int(source, "rule", &progress->rule);
	json_member_int(source, "scan", &progress->scan);
	progress->at = pg_strtoint64(json_member_text(source, "at"));
	progress->id = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(json_member_text(source, "id"))));
	json_member_int(source, "deleted", &progress->deleted);
	json_member_int(source, "purged", &progress->purged);
	json_member_int(source, "held", &progress->held);
	json_member_int(source, "referred", &progress->referred);
}

static Jsonb *
make_jsonb(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

static char *
counts(const Progress *progress)
{
	return psprintf("\"deleted\":%d,\"purged\":%d,\"held\":%d,\"referred\":%d", progress->deleted, progress->purged, progress->held, progress->referred);
}

static Jsonb *
make_position(const Progress *progress)
{
	return make_jsonb(psprintf("{\"rule\":%d,\"scan\":%d,\"at\":\"" INT64_FORMAT "\",\"id\":\"%s\",%s}", progress->rule, progress->scan, progress->at,
							   DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&progress->id))), counts(progress)));
}

/* ---- a batch ---- */

/* The time of a payload's field as SQL; NULL where the version of the record has no such field. */
static const char *
field_sql(const Rule *rule)
{
	return module_field_sql(rule->field, "", psprintf("qehs.payload_time(payload, '%%s', %d)", (int) rule->field->value_type));
}

/* What must hold of a record beside tenant and module: $3 is the cutoff. */
static const char *
condition(const Rule *rule, Walk scan)
{
	bool		live = scan == WALK_LIVE;

	switch (rule->retention->start)
	{
		case RETENTION_CREATED:
			return live ? "deleted_at IS NULL AND created_at <= $3" : "deleted_at IS NOT NULL AND created_at <= $3";
		case RETENTION_DELETED:
			return "deleted_at <= $3";
		default:
			return psprintf("deleted_at IS %sNULL AND %s <= $3", live ? "" : "NOT ", field_sql(rule));
	}
}

/* Look up the next records of the rule behind a position: their times and ids. */
static uint64
select_batch(const Rule *rule, const Progress *progress)
{
	Datum		values[5] = {Int32GetDatum(rule->module->tenant_id), Int32GetDatum(rule->module->module_id), TimestampTzGetDatum(rule->cutoff),
	TimestampTzGetDatum(progress->at), UUIDPGetDatum(&progress->id)};
	const char *by = "deleted_at";
	const char *sql;

	if (progress->scan == WALK_LIVE && rule->retention->start == RETENTION_CREATED)
		return plan_execute_latest(&select_created, values, NULL, BATCH);
	if (progress->scan == WALK_LIVE)
	{
		by = psprintf("d%d", rule->field->slot - (QEHS_SLOTS - QEHS_TIME_SLOTS) + 1);
		sql = psprintf("SELECT %1$s, id FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND %1$s IS NOT NULL AND %1$s <= $3"
					   " AND (%1$s, id) > ($4, $5) ORDER BY %1$s, id LIMIT %2$d", by, BATCH);
	}
	else
		sql = psprintf("SELECT deleted_at, id FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND %s"
					   " AND (deleted_at, id) > ($4, $5) ORDER BY deleted_at, id LIMIT %d", condition(rule, WALK_DELETED), BATCH);
	if (SPI_execute_with_args(sql, 5, select_created.argument_types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not run %s", sql);
	return SPI_processed;
}

/* Lock a record whose time is over still, unless somebody else has it locked. */
static bool
lock_record(const Rule *rule, Walk scan, const pg_uuid_t *id, Record *record)
{
	Oid			types[4] = {INT4OID, INT4OID, TIMESTAMPTZOID, UUIDOID};
	Datum		values[4] = {Int32GetDatum(rule->module->tenant_id), Int32GetDatum(rule->module->module_id), TimestampTzGetDatum(rule->cutoff), UUIDPGetDatum(id)};
	char	   *sql = psprintf("SELECT " QEHS_RECORD_COLUMNS " FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND id = $4 AND %s"
							   " FOR NO KEY UPDATE SKIP LOCKED", condition(rule, scan));

	if (SPI_execute_with_args(sql, 4, types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not run %s", sql);
	if (SPI_processed == 0)
		return false;
	record_read_row(0, record);
	return true;
}

/* "retention: purge P30D after deletedAt" */
static char *
describe(const Rule *rule)
{
	JsonbValue	value;
	const JsonbContainer *source;

	json_member(&rule->module->definition->root, "retention", 9, &value);
	source = value.val.binary.data;
	if (JsonContainerIsArray(source))
		source = getIthJsonbValueFromContainer(value.val.binary.data, (uint32) (rule->retention - rule->module->retentions))->val.binary.data;
	return psprintf("retention: %s %s after %s", rule->retention->purges ? "purge" : "delete", json_member_text(source, "after"),
					rule->retention->start == RETENTION_FIELD ? rule->field->key : rule->retention->start == RETENTION_DELETED ? "deletedAt" : "createdAt");
}

/* Delete a live record, or purge one, or both. */
static void
dispose(const RequestContext *context, const Rule *rule, Record *record, Progress *progress)
{
	char	   *reason = describe(rule);

	if (!record->deleted)
	{
		Record	   *after = palloc(sizeof(Record));
		Change		change = change_make(AUDIT_DELETE, record, after);

		*after = *record;
		after->deleted = true;
		after->deleted_at = clock_transaction();
		change.event.reason = reason;
		record_apply_one(context, &change);
		record = after;
		progress->deleted++;
	}
	if (rule->retention->purges)
	{
		purge_record(context, record_module(context, record), record, reason);
		progress->purged++;
	}
}

static void
look_at(const RequestContext *context, const Rule *rule, const pg_uuid_t *id, Progress *progress)
{
	Record		record;
	PermissionSubject subject;

	/* who purges it by hand was faster */
	if (!record_find_subject(context->tenant_id, id, &subject))
		return;
	change_hold_referrers(context, id);
	if (!lock_record(rule, (Walk) progress->scan, id, &record))
		return;
	if (hold_covers(context->tenant_id, record.module_id, id))
		progress->held++;
	else if (change_is_referred(context, &record))
		progress->referred++;
	else
		dispose(context, rule, &record, progress);
}

/* ---- rules ---- */

/* What is over of a rule now; false when nothing can be said, as while its field has no index yet. */
static bool
open_rule(const RequestContext *context, const ModuleDef *module, const Progress *progress, Rule *rule)
{
	TimestampTz now = clock_now();

	memset(rule, 0, sizeof(*rule));
	rule->module = module;
	rule->retention = &module->retentions[progress->rule];
	if (rule->retention->start == RETENTION_FIELD)
	{
		rule->field = module_field(module, rule->retention->field, strlen(rule->retention->field));
		if (rule->field->slot < 0)
			return false;
		/* a day is over at its end */
		if (rule->field->type == FIELD_DATE)
			now -= USECS_PER_DAY;
	}
	return calendar_add(calendar_of(context->tenant_id), false, now, &rule->retention->after, -1, &rule->cutoff);
}

/* Whether the rule has records to be gone through so. */
static bool
scans(const ModuleRetention *retention, Walk scan)
{
	return scan == WALK_LIVE ? retention->start != RETENTION_DELETED : retention->purges;
}

/* Go on to the next scan, or the next rule. */
static void
advance(Progress *progress)
{
	progress->at = DT_NOBEGIN;
	memset(&progress->id, 0, sizeof(progress->id));
	if (++progress->scan == WALK_END)
	{
		progress->scan = WALK_LIVE;
		progress->rule++;
	}
}

/* Do a batch; false when there was nothing more of the scan. */
static bool
run_batch(const RequestContext *context, const Rule *rule, Progress *progress, int64 *done)
{
	uint64		count = select_batch(rule, progress);
	pg_uuid_t	ids[BATCH];
	bool		isnull;

	for (uint64 i = 0; i < count; i++)
		ids[i] = *DatumGetUUIDP(plan_value(i, 2, &isnull));
	if (count > 0)
	{
		progress->at = DatumGetTimestampTz(plan_value(count - 1, 1, &isnull));
		progress->id = ids[count - 1];
	}
	SPI_freetuptable(SPI_tuptable);
	for (uint64 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		look_at(context, rule, &ids[i], progress);
	}
	*done += (int64) count;
	return count == BATCH;
}

static bool
retention_step(RequestContext *context, Job *job)
{
	const ModuleDef *module;
	int32		module_id;
	Progress	progress;

	if (!json_member_int(&job->arguments->root, "moduleId", &module_id))
		elog(ERROR, "the job names no module");
	module = module_lookup_version(context->tenant_id, module_id, 0);
	if (module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	read_progress(job, &progress);
	hold_lock(context->tenant_id, false);
	do
	{
		Rule		rule;

		if (progress.rule >= module->retention_count)
			break;
		SPI_connect();
		if (!scans(&module->retentions[progress.rule], (Walk) progress.scan) || !open_rule(context, module, &progress, &rule) ||
			!run_batch(context, &rule, &progress, &job->done))
			advance(&progress);
		SPI_finish();
	} while (GetCurrentTimestamp() < job->until);
	job->row_count = (int64) progress.deleted + progress.purged;
	job->position = make_position(&progress);
	job->result = make_jsonb(psprintf("{%s}", counts(&progress)));
	return progress.rule < module->retention_count;
}

const JobKind retention_job = {KIND, retention_step};

/* retention_due(): queue the jobs of modules that are due; gives how many. */
Datum
qehs_retention_due(PG_FUNCTION_ARGS)
{
	TimestampTz now = clock_now();
	Datum		value = TimestampTzGetDatum(now);
	uint64		count;
	SPITupleTable *modules;
	bool		isnull;

	SPI_connect();
	count = plan_execute(&select_due, &value, NULL, false, 0);
	modules = SPI_tuptable;
	for (uint64 i = 0; i < count; i++)
	{
		int32		tenant_id = DatumGetInt32(SPI_getbinval(modules->vals[i], modules->tupdesc, 1, &isnull));
		int32		module_id = DatumGetInt32(SPI_getbinval(modules->vals[i], modules->tupdesc, 2, &isnull));
		Datum		values[3] = {Int32GetDatum(tenant_id), Int32GetDatum(module_id), value};
		JobOrder	order = {.kind = KIND, .subject = psprintf("module %d", module_id), .restart = true};
		StringInfoData arguments;
		pg_uuid_t	id;

		initStringInfo(&arguments);
		json_literal(&arguments, "{\"moduleKey\":");
		json_string(&arguments, SPI_getvalue(modules->vals[i], modules->tupdesc, 3));
		appendStringInfo(&arguments, ",\"moduleId\":%d}", module_id);
		order.arguments = make_jsonb(arguments.data);
		job_enqueue(tenant_id, NULL, &order, &id);
		plan_execute(&put_off, values, NULL, false, 0);
	}
	SPI_finish();
	PG_RETURN_INT64((int64) count);
}
