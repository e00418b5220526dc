/*
 * tenant_admin.c
 *	  qehs.tenant_list, tenant_suspend and tenant_resume: what a DBA does with
 *	  tenants (tenant_create is in caller/tenant.c, tenant_remove in tenant_remove.c).
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_tenant_list);
PG_FUNCTION_INFO_V1(qehs_tenant_suspend);
PG_FUNCTION_INFO_V1(qehs_tenant_resume);

#define TENANT_COLUMNS "slug, id, name, created_at, suspended_at," \
	" (SELECT pg_catalog.count(*) FROM qehs.user_account AS u WHERE u.tenant_id = t.id AND u.active)," \
	" (SELECT pg_catalog.count(*) FROM qehs.module AS m WHERE m.tenant_id = t.id)"

/* The columns of TENANT_COLUMNS. */
enum
{
	COLUMN_SLUG = 1, COLUMN_ID, COLUMN_NAME, COLUMN_CREATED_AT, COLUMN_SUSPENDED_AT, COLUMN_USERS, COLUMN_MODULES
};

static KeptPlan select_tenants = {
	"SELECT " TENANT_COLUMNS " FROM qehs.tenant AS t WHERE slug > $1 ORDER BY slug", 1, {TEXTOID}, NULL
};
static KeptPlan suspend = {
	"UPDATE qehs.tenant AS t SET suspended_at = COALESCE(suspended_at, $2) WHERE slug = $1 RETURNING " TENANT_COLUMNS,
	2, {TEXTOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan resume = {
	"UPDATE qehs.tenant AS t SET suspended_at = NULL WHERE slug = $1 RETURNING " TENANT_COLUMNS, 1, {TEXTOID}, NULL
};

/* Append a tenant, a row of TENANT_COLUMNS. */
static void
write_tenant(StringInfo out, uint64 row)
{
	bool		isnull;
	Datum		suspended_at;

	json_literal(out, "{\"slug\":");
	json_string(out, TextDatumGetCString(plan_value(row, COLUMN_SLUG, &isnull)));
	json_literal(out, ",\"id\":");
	json_int(out, DatumGetInt32(plan_value(row, COLUMN_ID, &isnull)));
	json_literal(out, ",\"name\":");
	json_string(out, TextDatumGetCString(plan_value(row, COLUMN_NAME, &isnull)));
	json_literal(out, ",\"createdAt\":");
	json_time(out, DatumGetTimestampTz(plan_value(row, COLUMN_CREATED_AT, &isnull)));
	json_literal(out, ",\"suspendedAt\":");
	suspended_at = plan_value(row, COLUMN_SUSPENDED_AT, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_time(out, DatumGetTimestampTz(suspended_at));
	json_literal(out, ",\"users\":");
	json_int(out, DatumGetInt64(plan_value(row, COLUMN_USERS, &isnull)));
	json_literal(out, ",\"modules\":");
	json_int(out, DatumGetInt64(plan_value(row, COLUMN_MODULES, &isnull)));
	appendStringInfoChar(out, '}');
}

/* The arguments of qehs.tenant_list. */
enum
{
	ARGUMENT_PAGE_SIZE, ARGUMENT_AFTER
};

/* tenant_list(page_size, after) */
Datum
qehs_tenant_list(PG_FUNCTION_ARGS)
{
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, ARGUMENT_PAGE_SIZE, &faults);
	Datum		after = PG_ARGISNULL(ARGUMENT_AFTER) ? CStringGetTextDatum("") : PG_GETARG_DATUM(ARGUMENT_AFTER);
	StringInfoData out;
	uint64		rows;
	bool		isnull;

	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	rows = plan_execute(&select_tenants, &after, NULL, true, limit + 1);
	for (uint64 i = 0; i < Min(rows, (uint64) limit); i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		write_tenant(&out, i);
	}
	json_literal(&out, "],\"nextAfter\":");
	if (rows > (uint64) limit)
		json_string(&out, TextDatumGetCString(plan_value(limit - 1, COLUMN_SLUG, &isnull)));
	else
		json_literal(&out, "null");
	SPI_finish();
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/* Change the tenant that the first argument names, and tell it. */
static Datum
change_tenant(FunctionCallInfo fcinfo, KeptPlan *change)
{
	Datum		values[2] = {0, TimestampTzGetDatum(clock_now())};
	StringInfoData out;

	if (PG_ARGISNULL(0))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/slug", "required", "is required");
	values[0] = PG_GETARG_DATUM(0);
	json_begin(&out);
	SPI_connect();
	if (plan_execute(change, values, NULL, false, 0) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no tenant \"%s\"", argument_text(fcinfo, 0));
	write_tenant(&out, 0);
	SPI_finish();
	return json_datum(&out);
}

/* tenant_suspend(slug) */
Datum
qehs_tenant_suspend(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(change_tenant(fcinfo, &suspend));
}

/* tenant_resume(slug) */
Datum
qehs_tenant_resume(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(change_tenant(fcinfo, &resume));
}
