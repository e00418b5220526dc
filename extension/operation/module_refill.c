/*
 * module_refill.c
 *	  The job that fills the slots and the search text of a module's records after
 *	  its index changed, and qehs.module_refill, which queues it again.
 *
 * Publishing waits for writers that use the old slot map; whoever writes after it
 * fills the slots by the new one.  So the job has only to pass the records once,
 * by id, batch by batch, each batch locking its rows alone.  With the last batch
 * it tells lists that they may use the index now (qehs.module.unfilled).
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "fmgr.h"
#include "operation/module_refill.h"
#include "permission/permission.h"
#include "report/report.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_module_refill);

#define KIND "module_refill"
#define BATCH 100

static KeptPlan lock_job = {
	"SELECT 1 FROM qehs.job WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND finished_at IS NULL FOR NO KEY UPDATE",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};
static KeptPlan count_records = {
	"SELECT pg_catalog.count(*) FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND deleted_at IS NULL",
	2, {INT4OID, INT4OID}, NULL
};
static KeptPlan mark_filled = {
	"UPDATE qehs.module SET unfilled = '{}', search_unfilled = false WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, INT4OID}, NULL
};
static KeptPlan mark_unfilled = {
	"UPDATE qehs.module AS m SET unfilled = ARRAY(SELECT pg_catalog.jsonb_object_keys(v.slots)), search_unfilled = true"
	" FROM qehs.module_version AS v WHERE m.tenant_id = $1 AND m.id = $2 AND v.tenant_id = $1 AND v.module_id = m.id AND v.version = m.version",
	2, {INT4OID, INT4OID}, NULL
};

/* What only one job of the kind works on. */
static char *
subject(int32 module_id)
{
	return psprintf("module %d", module_id);
}

void
module_refill_hold(int32 tenant_id, int32 module_id)
{
	Datum		values[3] = {Int32GetDatum(tenant_id), CStringGetTextDatum(KIND), CStringGetTextDatum(subject(module_id))};

	plan_execute(&lock_job, values, NULL, false, 0);
}

void
module_refill_queue(int32 tenant_id, int32 module_id, const char *module_key)
{
	StringInfoData arguments;
	JobOrder	order = {.kind = KIND, .subject = subject(module_id), .restart = true};
	pg_uuid_t	id;

	initStringInfo(&arguments);
	json_literal(&arguments, "{\"moduleKey\":");
	json_string(&arguments, module_key);
	appendStringInfo(&arguments, ",\"moduleId\":%d}", module_id);
	order.arguments = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(arguments.data)));
	job_enqueue(tenant_id, NULL, &order, &id);
}

/* Where the job is: {"after":uuid}; all zeros at the start. */
static void
read_position(const Job *job, pg_uuid_t *last)
{
	char	   *text = job->position ? json_member_text(&job->position->root, "after") : NULL;

	memset(last, 0, sizeof(*last));
	if (text)
		*last = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(text)));
}

static Jsonb *
make_position(const pg_uuid_t *last)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(last)));

	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("{\"after\":\"%s\"}", text))));
}

static bool
refill_step(RequestContext *context, Job *job)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), 0};
	const ModuleDef *module;
	int32		module_id;
	pg_uuid_t	last;
	int			count;
	bool		isnull;

	if (!json_member_int(&job->arguments->root, "moduleId", &module_id))
		elog(ERROR, "the job names no module");
	module_hold_slots(context->tenant_id, module_id);
	module = module_lookup_version(context->tenant_id, module_id, 0);
	if (module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	values[1] = Int32GetDatum(module_id);
	read_position(job, &last);
	SPI_connect();
	if (job->total < 0)
	{
		plan_execute(&count_records, values, NULL, true, 1);
		job->total = DatumGetInt64(plan_value(0, 1, &isnull));
	}
	do
	{
		count = change_refill_slots(module, BATCH, &last);
		job->done += count;
	} while (count == BATCH && GetCurrentTimestamp() < job->until);
	job->row_count = job->done;
	if (count < BATCH)
	{
		plan_execute(&mark_filled, values, NULL, false, 0);
		report_refresh(context->tenant_id, module_id);
	}
	SPI_finish();
	job->position = make_position(&last);
	return count == BATCH;
}

const JobKind module_refill_job = {KIND, refill_step};

/* module_refill(module_key) */
Datum
qehs_module_refill(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_MODULES_WRITE);
	char	   *key = argument_text(fcinfo, 0);
	const ModuleDef *module = key ? module_lookup(context->tenant_id, key) : NULL;
	Datum		values[2] = {Int32GetDatum(context->tenant_id), 0};

	permission_require_definition(context, key, "publish");
	if (module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	values[1] = Int32GetDatum(module->module_id);
	SPI_connect();
	module_refill_queue(context->tenant_id, module->module_id, key);
	plan_execute(&mark_unfilled, values, NULL, false, 0);
	report_refresh(context->tenant_id, module->module_id);
	SPI_finish();
	PG_RETURN_VOID();
}
