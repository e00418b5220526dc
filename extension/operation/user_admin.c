/*
 * user_admin.c
 *	  qehs.user_list, user_deactivate and user_activate, in the current tenant
 *	  (user_create is in caller/tenant.c).
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "caller/page.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_user_list);
PG_FUNCTION_INFO_V1(qehs_user_deactivate);
PG_FUNCTION_INFO_V1(qehs_user_activate);

#define USER_COLUMNS "id, user_name, display_name, attributes #>> '{emails,0,value}', active, created_at, " AUTH_ROLES_OF_USER("$1", "u.id")

/* The columns of USER_COLUMNS. */
enum
{
	COLUMN_ID = 1, COLUMN_USER_NAME, COLUMN_DISPLAY_NAME, COLUMN_EMAIL, COLUMN_ACTIVE, COLUMN_CREATED_AT, COLUMN_ROLES
};

static KeptPlan select_users = {
	"SELECT " USER_COLUMNS " FROM qehs.user_account AS u WHERE tenant_id = $1 AND id > $2 AND deleted_at IS NULL ORDER BY id", 2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan set_active = {
	"UPDATE qehs.user_account AS u SET active = $3 WHERE tenant_id = $1 AND pg_catalog.lower(user_name) = pg_catalog.lower($2)"
	" AND deleted_at IS NULL RETURNING " USER_COLUMNS,
	3, {INT4OID, TEXTOID, BOOLOID}, NULL
};

/* Append a user, a row of USER_COLUMNS. */
static void
write_user(StringInfo out, uint64 row)
{
	bool		isnull;
	Datum		email;
	const char **roles;
	int			count;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull)), QEHS_ID_USER);
	json_literal(out, ",\"userName\":");
	json_string(out, TextDatumGetCString(plan_value(row, COLUMN_USER_NAME, &isnull)));
	json_literal(out, ",\"displayName\":");
	json_string(out, TextDatumGetCString(plan_value(row, COLUMN_DISPLAY_NAME, &isnull)));
	json_literal(out, ",\"email\":");
	email = plan_value(row, COLUMN_EMAIL, &isnull);
	json_string(out, isnull ? NULL : TextDatumGetCString(email));
	json_literal(out, ",\"active\":");
	json_bool(out, DatumGetBool(plan_value(row, COLUMN_ACTIVE, &isnull)));
	json_literal(out, ",\"createdAt\":");
	json_time(out, DatumGetTimestampTz(plan_value(row, COLUMN_CREATED_AT, &isnull)));
	json_literal(out, ",\"roles\":");
	roles = auth_names(plan_value(row, COLUMN_ROLES, &isnull), &count);
	json_strings(out, roles, count);
	appendStringInfoChar(out, '}');
}

/* The arguments of qehs.user_list: page_size, cursor. */
enum
{
	ARGUMENT_PAGE_SIZE
};

/* user_list(page_size, cursor) */
Datum
qehs_user_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_USERS);
	pg_uuid_t	last = {{0}};
	ListPage	page = {.context = context, .endpoint = "user_list", .position = &last, .size = sizeof(last)};
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&last)};
	uint64		rows;
	bool		isnull;

	page_begin(&page, fcinfo, ARGUMENT_PAGE_SIZE);
	SPI_connect();
	rows = page_select(&page, &select_users, values, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		page_next(&page);
		write_user(&page.out, i);
		last = *DatumGetUUIDP(plan_value(i, COLUMN_ID, &isnull));
	}
	SPI_finish();
	PG_RETURN_DATUM(page_end(&page));
}

/* Set whether the user of the first argument is active, and tell the user. */
static Datum
change_user(FunctionCallInfo fcinfo, bool active)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_USERS);
	Datum		values[3] = {Int32GetDatum(context->tenant_id), 0, BoolGetDatum(active)};
	StringInfoData out;

	if (PG_ARGISNULL(0))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/userName", "required", "is required");
	values[1] = PG_GETARG_DATUM(0);
	json_begin(&out);
	SPI_connect();
	if (plan_execute(&set_active, values, NULL, false, 0) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "the tenant has no user \"%s\"", argument_text(fcinfo, 0));
	write_user(&out, 0);
	SPI_finish();
	return json_datum(&out);
}

/* user_deactivate(user_name) */
Datum
qehs_user_deactivate(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(change_user(fcinfo, false));
}

/* user_activate(user_name) */
Datum
qehs_user_activate(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(change_user(fcinfo, true));
}
