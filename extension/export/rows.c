/*
 * rows.c
 *	  qehs.export_open, qehs.export_fetch and qehs.export_files: the rows of an
 *	  export, for the worker that writes its file.
 *
 * All are called in one transaction behind qehs.job_begin, which makes the
 * session act as the caller that asked.  The walk is a portal, so its rows are
 * those that were there when it was opened, in constant memory, however long it
 * takes.  What fetch needs to know lives in the transaction's memory, and is
 * forgotten with it.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "export/export.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_export_open);
PG_FUNCTION_INFO_V1(qehs_export_fetch);
PG_FUNCTION_INFO_V1(qehs_export_files);

#define PORTAL "qehs export"
/* Rows of one fetch at most, and bytes after which no other row is begun. */
#define MOST_ROWS 10000
#define FETCH_BYTES (1024 * 1024)

static KeptPlan select_job = {
	"SELECT arguments, created_by FROM qehs.job WHERE tenant_id = $1 AND id = $2 AND kind = 'export' AND state = 'running'",
	2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_job. */
enum
{
	COLUMN_ARGUMENTS = 1, COLUMN_CREATED_BY
};

/* The export that is open, in the transaction's memory; NULL is none. */
typedef struct OpenExport
{
	ExportPlan	plan;
	ViolationList faults;		/* of its walk */
	RequestContext *context;
	MemoryContext row_memory;
	const ModuleDef *module;	/* of the rows now; NULL before the first */
	int			modules_begun;
	/* has_attachments, has_pictures: the records of the last fetch */
	pg_uuid_t	ids[MOST_ROWS];
	int			id_count;
} OpenExport;

static OpenExport *open_export = NULL;

static void
forget(void *argument)
{
	open_export = NULL;
}

/* The arguments of the job, copied to the current memory context; inside SPI. */
static Jsonb *
read_job(const RequestContext *context, const pg_uuid_t *id, MemoryContext memory)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};
	MemoryContext previous;
	Jsonb	   *arguments;
	bool		isnull;

	if (plan_execute(&select_job, values, NULL, true, 1) == 0 ||
		memcmp(DatumGetUUIDP(plan_value(0, COLUMN_CREATED_BY, &isnull)), &context->actor_id, sizeof(pg_uuid_t)) != 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such job");
	previous = MemoryContextSwitchTo(memory);
	arguments = DatumGetJsonbPCopy(plan_value(0, COLUMN_ARGUMENTS, &isnull));
	MemoryContextSwitchTo(previous);
	return arguments;
}

/* The record of a report with its activity and what was decided; inside SPI. */
static void
write_report(StringInfo out, const RequestContext *context, const ExportPlan *plan)
{
	Record		record;
	const ModuleDef *module;

	record_fetch(context, &plan->record_id, RECORD_READ, plan->deleted_too, &record);
	module = record_module(context, &record);
	record_require(context, module, ACTION_READ, &record);
	record_require(context, module, ACTION_EXPORT, &record);
	json_literal(out, ",\"record\":");
	record_write_json(out, context, module, &record, true);
	audit_write_activity(out, context, module, &record);
	audit_write_decisions(out, context, module, &record);
	appendStringInfoChar(out, '}');
}

/* How many rows there will be. */
static int64
count_rows(OpenExport *opened)
{
	ExportPlan *plan = &opened->plan;
	int64		total = 0;

	if (plan->module)
		return list_count(&plan->walk);
	for (int i = 0; i < plan->module_count; i++)
	{
		ListWalk	walk;

		CHECK_FOR_INTERRUPTS();
		if (export_walk(opened->context, plan, plan->module_keys[i], &walk, &opened->faults))
			total += list_count(&walk);
	}
	return total;
}

/* What the worker must know to write the file. */
static void
write_head(StringInfo out, OpenExport *opened, Jsonb *arguments)
{
	const RequestContext *context = opened->context;
	const ExportPlan *plan = &opened->plan;

	json_literal(out, "{\"moduleName\":");
	json_string(out, plan->module ? plan->module->name : NULL);
	json_literal(out, ",\"total\":");
	json_int(out, count_rows(opened));
	json_literal(out, ",\"at\":");
	json_time(out, clock_now());
	json_literal(out, ",\"actor\":");
	json_string(out, context->actor_name);
	json_literal(out, ",\"options\":");
	json_jsonb(out, arguments);
	json_literal(out, ",\"columns\":");
	columns_write(out, &plan->columns);
	if (plan->has_record)
		write_report(out, context, plan);
	appendStringInfoChar(out, '}');
}

/* export_open(job_id) */
Datum
qehs_export_open(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
	OpenExport *opened = palloc0(sizeof(OpenExport));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	StringInfoData out;
	Jsonb	   *arguments;
	pg_uuid_t	id;

	MemoryContextSwitchTo(previous);
	if (!argument_id(fcinfo, 0, QEHS_ID_JOB, &id))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such job");
	if (open_export)
		problem_raise(PROBLEM_CONFLICT, "Begin another transaction.", "an export is open in this transaction already");
	json_begin(&out);
	SPI_connect();
	arguments = read_job(context, &id, TopTransactionContext);
	MemoryContextSwitchTo(TopTransactionContext);
	export_plan(context, &arguments->root, &opened->plan, &opened->faults);
	violation_raise(&opened->faults);
	if (opened->plan.module)
		columns_label(opened->plan.module, opened->plan.language, &opened->plan.columns);
	opened->context = context;
	opened->row_memory = AllocSetContextCreate(TopTransactionContext, "qehs export row", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(opened->row_memory);
	write_head(&out, opened, arguments);
	MemoryContextReset(opened->row_memory);
	SPI_finish();
	callback->func = forget;
	MemoryContextRegisterResetCallback(TopTransactionContext, callback);
	open_export = opened;
	PG_RETURN_DATUM(json_datum(&out));
}

/* {"name":cell,…} of the columns that were asked for. */
static void
write_object(StringInfo out, const OpenExport *opened, const Record *record)
{
	const ExportColumns *columns = &opened->plan.columns;
	ExportColumns *one = palloc(sizeof(ExportColumns));
	StringInfoData cell;

	initStringInfo(&cell);
	appendStringInfoChar(out, '{');
	one->count = 1;
	for (int i = 0; i < columns->count; i++)
	{
		one->items[0] = columns->items[i];
		resetStringInfo(&cell);
		cells_write_record(&cell, opened->context, opened->module, one, record);
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_name(out, columns->items[i].name);
		/* without its brackets */
		appendBinaryStringInfo(out, cell.data + 1, cell.len - 2);
	}
	appendStringInfoChar(out, '}');
}

/* Append the line of a row. */
static void
visit_row(void *owner, uint64 row)
{
	StringInfo	out = owner;
	OpenExport *opened = open_export;
	MemoryContext previous = MemoryContextSwitchTo(opened->row_memory);
	Record		record;

	record_read_row(row, &record);
	if (opened->plan.has_attachments || opened->plan.has_pictures)
		opened->ids[opened->id_count++] = record.id;
	if (opened->plan.all_members)
		record_write_json(out, opened->context, record_module(opened->context, &record), &record, false);
	else if (opened->plan.as_objects)
		write_object(out, opened, &record);
	else
		cells_write_record(out, opened->context, opened->module, &opened->plan.columns, &record);
	appendStringInfoChar(out, '\n');
	MemoryContextSwitchTo(previous);
	MemoryContextReset(opened->row_memory);
}

/* Append the line that comes before the records of a module: what a reader of them needs to know. */
static void
write_module(StringInfo out, const OpenExport *opened)
{
	const ModuleDef *module = opened->module;

	json_literal(out, "module {\"key\":");
	json_string(out, module->key);
	json_literal(out, ",\"name\":");
	json_string(out, module->name);
	json_literal(out, ",\"definitionVersion\":");
	json_int(out, module->version);
	if (opened->context->scopes & SCOPE_MODULES_READ)
	{
		json_literal(out, ",\"definition\":");
		json_jsonb(out, module->definition);
	}
	json_literal(out, "}\n");
}

/* Open the rows of the next module, or of the only one; false when there is none. */
static bool
begin_module(OpenExport *opened, StringInfo out)
{
	ExportPlan *plan = &opened->plan;
	MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
	int			count = plan->module ? 1 : plan->module_count;

	opened->module = NULL;
	list_portals_close(PORTAL);
	while (opened->module == NULL && opened->modules_begun < count)
	{
		int			number = opened->modules_begun++;

		opened->module = plan->module ? plan->module : export_walk(opened->context, plan, plan->module_keys[number], &plan->walk,
															  &opened->faults);
	}
	if (opened->module)
		list_portals_open(&plan->walk, PORTAL, QEHS_RECORD_COLUMNS);
	MemoryContextSwitchTo(previous);
	if (opened->module && plan->has_heads)
		write_module(out, opened);
	return opened->module != NULL;
}

/* export_fetch(row_count): the next rows, a line each; NULL behind the last. */
Datum
qehs_export_fetch(PG_FUNCTION_ARGS)
{
	int32		wanted = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);
	StringInfoData out;
	int64		left = wanted;

	if (wanted < 1 || wanted > MOST_ROWS)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/rowCount", "range", "must be from 1 to %d", MOST_ROWS);
	if (open_export == NULL)
		problem_raise(PROBLEM_CONFLICT, "Call qehs.export_open in the same transaction before.", "no export is open");
	json_begin(&out);
	open_export->id_count = 0;
	SPI_connect();
	while (left > 0 && out.len < FETCH_BYTES)
	{
		uint64		batch = Min(left, 100);
		uint64		visited = open_export->module ? list_portals_fetch(PORTAL, batch, visit_row, &out) : 0;

		left -= visited;
		if (visited < batch && !begin_module(open_export, &out))
			break;
	}
	SPI_finish();
	if (out.len == VARHDRSZ)
		PG_RETURN_NULL();
	/* a text looks as a json does */
	PG_RETURN_DATUM(json_datum(&out));
}

/* export_files(storage): the files of the records of the last fetch, a line each; NULL when there are none. */
Datum
qehs_export_files(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	if (open_export == NULL)
		problem_raise(PROBLEM_CONFLICT, "Call qehs.export_open in the same transaction before.", "no export is open");
	json_begin(&out);
	SPI_connect();
	files_write(&out, open_export->context, open_export->ids, open_export->id_count, PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0));
	SPI_finish();
	if (out.len == VARHDRSZ)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(json_datum(&out));
}
