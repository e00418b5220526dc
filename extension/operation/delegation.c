/*
 * delegation.c
 *	  qehs.delegation_create, delegation_list and delegation_revoke: who approves for whom, and when.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/page.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "permission/permission.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The arguments of qehs.delegation_create. */
enum
{
	ARGUMENT_TO, ARGUMENT_STARTS_AT, ARGUMENT_ENDS_AT, ARGUMENT_FROM, ARGUMENT_REASON
};

PG_FUNCTION_INFO_V1(qehs_delegation_create);
PG_FUNCTION_INFO_V1(qehs_delegation_list);
PG_FUNCTION_INFO_V1(qehs_delegation_revoke);

#define COLUMNS "d.id, d.from_user, d.to_user, d.starts_at, d.ends_at, d.reason, d.created_at, d.revoked_at"

static KeptPlan insert_delegation = {
	"INSERT INTO qehs.delegation AS d (tenant_id, id, from_user, to_user, starts_at, ends_at, reason, created_at, created_by)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING " COLUMNS,
	9, {INT4OID, UUIDOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, UUIDOID}, NULL
};
/* those of the caller, given or taken; $3: all */
static KeptPlan select_delegations = {
	"SELECT " COLUMNS " FROM qehs.delegation AS d WHERE d.tenant_id = $1 AND ($3 OR d.from_user = $2 OR d.to_user = $2) AND d.id < $4"
	" ORDER BY d.id DESC LIMIT 201",
	4, {INT4OID, UUIDOID, BOOLOID, UUIDOID}, NULL
};
static KeptPlan end_delegation = {
	"UPDATE qehs.delegation AS d SET revoked_at = $5 WHERE d.tenant_id = $1 AND d.id = $2 AND ($4 OR d.from_user = $3) AND d.revoked_at IS NULL RETURNING d.id",
	5, {INT4OID, UUIDOID, UUIDOID, BOOLOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan select_user = {
	"SELECT id FROM qehs.user_account WHERE tenant_id = $1 AND active AND (id = $2 OR pg_catalog.lower(user_name) = pg_catalog.lower($3))",
	3, {INT4OID, UUIDOID, TEXTOID}, NULL
};
/* The columns of COLUMNS. */
enum
{
	COLUMN_ID = 1, COLUMN_FROM, COLUMN_TO, COLUMN_STARTS_AT, COLUMN_ENDS_AT, COLUMN_REASON, COLUMN_CREATED_AT, COLUMN_REVOKED_AT
};

static void
write_time(StringInfo out, const char *name, uint64 row, int column)
{
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	appendStringInfo(out, ",\"%s\":", name);
	if (isnull)
		json_literal(out, "null");
	else
		json_time(out, DatumGetTimestampTz(value));
}

static void
write_delegation(StringInfo out, const RequestContext *context, uint64 row)
{
	bool		isnull;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull)), QEHS_ID_DELEGATION);
	json_literal(out, ",\"from\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, COLUMN_FROM, &isnull)));
	json_literal(out, ",\"to\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, COLUMN_TO, &isnull)));
	write_time(out, "startsAt", row, COLUMN_STARTS_AT);
	write_time(out, "endsAt", row, COLUMN_ENDS_AT);
	json_literal(out, ",\"reason\":");
	json_string(out, plan_text(row, COLUMN_REASON));
	write_time(out, "createdAt", row, COLUMN_CREATED_AT);
	write_time(out, "revokedAt", row, COLUMN_REVOKED_AT);
	appendStringInfoChar(out, '}');
}

/* An active user by id or name; a fault at path when there is none.  Inside SPI. */
static pg_uuid_t
find_user(const RequestContext *context, const char *text, const char *path, ViolationList *faults)
{
	pg_uuid_t	id = {{0}};
	bool		isnull;
	bool		is_id = text && id_parse(text, strlen(text), QEHS_ID_USER, &id);
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), CStringGetTextDatum(text && !is_id ? text : "")};

	if (text && plan_execute(&select_user, values, NULL, true, 1) == 1)
		return *DatumGetUUIDP(plan_value(0, 1, &isnull));
	violation_add(faults, path, "not_found", "names no active user");
	return id;
}

static void
check_times(FunctionCallInfo fcinfo, ViolationList *faults)
{
	for (int i = 1; i <= 2; i++)
		if (PG_ARGISNULL(i))
			violation_add(faults, i == 1 ? "/startsAt" : "/endsAt", "required", "is required");
	if (faults->count == 0 && PG_GETARG_TIMESTAMPTZ(ARGUMENT_STARTS_AT) >= PG_GETARG_TIMESTAMPTZ(ARGUMENT_ENDS_AT))
		violation_add(faults, "/endsAt", "range", "must be after startsAt");
	else if (faults->count == 0 && PG_GETARG_TIMESTAMPTZ(ARGUMENT_ENDS_AT) <= clock_now())
		violation_add(faults, "/endsAt", "range", "must be in the future");
}

/* A delegation is for every module, so a key for some of them has nothing to do with any. */
static RequestContext *
require_whole_tenant(Scope scope)
{
	RequestContext *context = context_require_scope(scope);

	if (context->module_count >= 0)
		problem_raise(PROBLEM_FORBIDDEN, "Use a key that is for all modules.", "delegations are for all modules of the tenant");
	return context;
}

/* delegation_create(to, starts_at, ends_at, from, reason) */
Datum
qehs_delegation_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_whole_tenant(SCOPE_RECORDS_WRITE);
	ViolationList faults = {0};
	char	   *from_text = argument_text(fcinfo, ARGUMENT_FROM);
	char	   *reason = argument_text(fcinfo, ARGUMENT_REASON);
	pg_uuid_t	id;
	pg_uuid_t	from = context->actor_id;
	pg_uuid_t	to;
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	check_times(fcinfo, &faults);
	to = find_user(context, argument_text(fcinfo, ARGUMENT_TO), "/to", &faults);
	if (from_text)
		from = find_user(context, from_text, "/from", &faults);
	else if (context->actor_type != ACTOR_USER)
		violation_add(&faults, "/from", "required", "is required of a caller who is no user");
	if (faults.count == 0 && memcmp(&from, &to, sizeof(from)) == 0)
		violation_add(&faults, "/to", "conflict", "must be another than who delegates");
	if (reason && strlen(reason) > 1000)
		violation_add(&faults, "/reason", "maxLength", "must be at most 1000 bytes");
	violation_raise(&faults);
	if (memcmp(&from, &context->actor_id, sizeof(from)) != 0 && !permission_is_administrator(context))
		problem_raise_at(PROBLEM_FORBIDDEN, "/from", QEHS_FORBIDDEN, "is another than the caller, who is no administrator");
	id_generate(&id);
	{
		Datum		values[9] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), UUIDPGetDatum(&from), UUIDPGetDatum(&to), PG_GETARG_DATUM(ARGUMENT_STARTS_AT),
			PG_GETARG_DATUM(ARGUMENT_ENDS_AT), reason ? CStringGetTextDatum(reason) : (Datum) 0, TimestampTzGetDatum(clock_transaction()),
		UUIDPGetDatum(&context->actor_id)};

		plan_execute(&insert_delegation, values, reason ? NULL : "      n  ", false, 0);
	}
	write_delegation(&out, context, 0);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* delegation_list(page_size, cursor) */
Datum
qehs_delegation_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_whole_tenant(SCOPE_RECORDS_READ);
	pg_uuid_t	last;
	ListPage	page = {.context = context, .endpoint = "delegation_list", .position = &last, .size = sizeof(last)};
	Datum		values[4] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&context->actor_id), BoolGetDatum(permission_is_administrator(context)),
	UUIDPGetDatum(&last)};
	uint64		rows;
	bool		isnull;

	memset(&last, 0xFF, sizeof(last));
	page_begin(&page, fcinfo, 0);
	SPI_connect();
	rows = page_select(&page, &select_delegations, values, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		page_next(&page);
		write_delegation(&page.out, context, i);
		last = *DatumGetUUIDP(plan_value(i, COLUMN_ID, &isnull));
	}
	SPI_finish();
	PG_RETURN_DATUM(page_end(&page));
}

/* delegation_revoke(id) */
Datum
qehs_delegation_revoke(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_whole_tenant(SCOPE_RECORDS_WRITE);
	pg_uuid_t	id;
	bool		found = argument_id(fcinfo, 0, QEHS_ID_DELEGATION, &id);
	Datum		values[5] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), UUIDPGetDatum(&context->actor_id),
	BoolGetDatum(permission_is_administrator(context)), TimestampTzGetDatum(clock_transaction())};

	SPI_connect();
	found = found && plan_execute(&end_delegation, values, NULL, false, 0) == 1;
	SPI_finish();
	if (!found)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such delegation that holds");
	PG_RETURN_NULL();
}
