/*
 * tenant_remove.c
 *	  qehs.tenant_remove: all that a tenant has leaves the database, in one
 *	  transaction.
 *
 * The tenant is suspended, so nothing new begins; writers under way hold the
 * slots of their module, and are waited for.  What is else kept for ever goes by
 * audit/retire.c, and published versions since their trigger lets go while
 * tenant_remove_runs().  A tenant with a legal hold that is not released stays.
 */
#include "base/compat.h"

#include "audit/retire.h"
#include "base/argument.h"
#include "base/flag.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "module/publish.h"
#include "report/report.h"
#include "retention/hold.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_tenant_remove);
PG_FUNCTION_INFO_V1(qehs_tenant_remove_runs);

static Flag runs;

/* Files of attachments, and results of work outside the database: the shim removes them. */
static const char queue_objects[] =
	"INSERT INTO qehs.object_removal (tenant, object) SELECT t.slug, o.object FROM qehs.tenant AS t CROSS JOIN LATERAL"
	" (SELECT qehs.id_text('att_', a.id) FROM qehs.attachment AS a WHERE a.tenant_id = t.id AND a.removed_at IS NULL"
	" UNION ALL SELECT qehs.id_text('job_', j.id) FROM qehs.job AS j JOIN qehs.job_kind AS k ON k.kind = j.kind AND k.outside"
	" WHERE j.tenant_id = t.id) AS o (object)"
	" WHERE t.id = $1 ON CONFLICT DO NOTHING";

static KeptPlan select_tenant = {
	"SELECT id, suspended_at IS NOT NULL FROM qehs.tenant WHERE slug = $1 FOR UPDATE", 1, {TEXTOID}, NULL
};
/* The columns of select_tenant. */
enum
{
	COLUMN_ID = 1, COLUMN_SUSPENDED
};
static KeptPlan count_holds = {
	"SELECT pg_catalog.count(*) FROM qehs.legal_hold WHERE tenant_id = $1 AND released_at IS NULL", 1, {INT4OID}, NULL
};
static KeptPlan select_modules = {"SELECT id FROM qehs.module WHERE tenant_id = $1 ORDER BY id", 1, {INT4OID}, NULL};
/* A partition goes with its table; those that not even their owner may delete from are only ever added to. */
static KeptPlan select_tables = {
	"SELECT c.relname::pg_catalog.text, NOT pg_catalog.has_table_privilege(c.oid, 'DELETE') FROM pg_catalog.pg_class AS c"
	" JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
	" WHERE c.relnamespace = 'qehs'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname",
	0, {0}, NULL
};
/* The columns of select_tables. */
enum
{
	COLUMN_TABLE_NAME = 1, COLUMN_TABLE_IS_KEPT
};

/* Whether the session is in tenant_remove now. */
Datum
qehs_tenant_remove_runs(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(runs.up);
}

/* Find the tenant; raises QH404, and QH409 while it is open. */
static int32
find_tenant(const char *slug)
{
	Datum		value = CStringGetTextDatum(slug);
	bool		isnull;

	if (plan_execute(&select_tenant, &value, NULL, false, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no tenant \"%s\"", slug);
	if (!DatumGetBool(plan_value(0, COLUMN_SUSPENDED, &isnull)))
		problem_raise(PROBLEM_CONFLICT, "Suspend it first with qehs.tenant_suspend.", "the tenant \"%s\" is not suspended", slug);
	return DatumGetInt32(plan_value(0, COLUMN_ID, &isnull));
}

/* Raise QH409 while a legal hold of the tenant is not released. */
static void
require_no_hold(int32 tenant_id)
{
	Datum		value = Int32GetDatum(tenant_id);
	bool		isnull;
	int64		count;

	hold_lock(tenant_id, true);
	plan_execute_latest(&count_holds, &value, NULL, 1);
	count = DatumGetInt64(plan_value(0, 1, &isnull));
	if (count > 0)
		problem_raise(PROBLEM_CONFLICT, "Release it first with qehs.legal_hold_release.", "the tenant has %lld legal hold%s that %s not released",
					  (long long) count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
}

/* Wait for all writers of the tenant's records. */
static void
wait_for_others(int32 tenant_id)
{
	Datum		value = Int32GetDatum(tenant_id);
	uint64		rows;
	SPITupleTable *modules;
	bool		isnull;

	rows = plan_execute(&select_modules, &value, NULL, false, 0);
	modules = SPI_tuptable;
	for (uint64 i = 0; i < rows; i++)
		module_lock_slots(tenant_id, DatumGetInt32(SPI_getbinval(modules->vals[i], modules->tupdesc, 1, &isnull)));
}

static void
execute(const char *sql, int32 tenant_id)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(tenant_id)};

	if (SPI_execute_with_args(sql, 1, types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not run %s", sql);
}

/* Delete the rows of each table and tell how many there were. */
static void
delete_rows(StringInfo out, int32 tenant_id)
{
	uint64		rows = plan_execute(&select_tables, NULL, NULL, true, 0);
	SPITupleTable *tables = SPI_tuptable;
	bool		isnull;

	for (uint64 i = 0; i < rows; i++)
	{
		char	   *name = TextDatumGetCString(SPI_getbinval(tables->vals[i], tables->tupdesc, COLUMN_TABLE_NAME, &isnull));
		char	   *sql;

		CHECK_FOR_INTERRUPTS();
		sql = psprintf("DELETE FROM qehs.%s WHERE tenant_id = $1", quote_identifier(name));
		if (DatumGetBool(SPI_getbinval(tables->vals[i], tables->tupdesc, COLUMN_TABLE_IS_KEPT, &isnull)))
			retire_run(sql, tenant_id);
		else
			execute(sql, tenant_id);
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_name(out, name);
		json_int(out, (int64) SPI_processed);
	}
}

/* tenant_remove(slug) */
Datum
qehs_tenant_remove(PG_FUNCTION_ARGS)
{
	char	   *slug = argument_text(fcinfo, 0);
	StringInfoData out;
	int32		tenant_id;

	if (slug == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/slug", "required", "is required");
	json_begin(&out);
	json_literal(&out, "{\"slug\":");
	json_string(&out, slug);
	json_literal(&out, ",\"rows\":{");
	SPI_connect();
	tenant_id = find_tenant(slug);
	require_no_hold(tenant_id);
	wait_for_others(tenant_id);
	flag_raise(&runs);
	execute(queue_objects, tenant_id);
	delete_rows(&out, tenant_id);
	execute("DELETE FROM qehs.tenant WHERE id = $1", tenant_id);
	flag_lower(&runs);
	report_remove(slug);
	SPI_finish();
	json_literal(&out, "}}");
	PG_RETURN_DATUM(json_datum(&out));
}
