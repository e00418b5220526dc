/*
 * tenant.c
 *	  Tenants, their users and the session's tenant: the DBA's functions.
 */
#include "base/compat.h"

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "caller/delegate.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_tenant_create);
PG_FUNCTION_INFO_V1(qehs_use_tenant);
PG_FUNCTION_INFO_V1(qehs_user_create);

static KeptPlan insert_tenant = {
	"INSERT INTO qehs.tenant (slug, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id, created_at",
	2, {TEXTOID, TEXTOID}, NULL
};
/* What insert_tenant returns. */
enum
{
	COLUMN_NEW_ID = 1, COLUMN_NEW_CREATED_AT
};
static KeptPlan find_slug = {"SELECT 1 FROM qehs.tenant WHERE slug = $1", 1, {TEXTOID}, NULL};
/* Behind the numbers that are there: logical replication and data-only dumps bring rows without their sequence. */
static KeptPlan catch_up = {
	"SELECT pg_catalog.setval('qehs.tenant_id_seq', t.last) FROM (SELECT pg_catalog.max(id) AS last FROM qehs.tenant) AS t,"
	" qehs.tenant_id_seq AS s WHERE t.last > s.last_value", 0, {0}, NULL
};
static KeptPlan insert_roles = {
	"INSERT INTO qehs.role (tenant_id, name, description) VALUES"
	" ($1, 'tenant-owner', 'everything, keys and users included'), ($1, 'tenant-admin', 'everything in every module'),"
	" ($1, 'tenant-user', 'works with records'), ($1, 'viewer', 'reads')",
	1, {INT4OID}, NULL
};
static KeptPlan insert_secret = {
	"INSERT INTO qehs.secret (purpose, value) SELECT 'cursor', $1"
	" WHERE NOT EXISTS (SELECT FROM qehs.secret WHERE purpose = 'cursor')",
	1, {BYTEAOID}, NULL
};
static KeptPlan select_tenant = {"SELECT id, suspended_at IS NOT NULL FROM qehs.tenant WHERE slug = $1", 1, {TEXTOID}, NULL};
/* The columns of select_tenant. */
enum
{
	COLUMN_TENANT_ID = 1, COLUMN_TENANT_SUSPENDED
};
static KeptPlan select_user = {
	"SELECT id, display_name, active, " AUTH_ROLES_OF_USER("$1", "u.id")
	" FROM qehs.user_account AS u WHERE tenant_id = $1 AND pg_catalog.lower(user_name) = pg_catalog.lower($2) AND deleted_at IS NULL",
	2, {INT4OID, TEXTOID}, NULL
};
/* The columns of select_user. */
enum
{
	COLUMN_USER_ID = 1, COLUMN_USER_DISPLAY_NAME, COLUMN_USER_ACTIVE, COLUMN_USER_ROLES
};
static KeptPlan insert_user = {
	"INSERT INTO qehs.user_account (tenant_id, id, user_name, display_name, attributes) VALUES ($1, $2, $3, $4,"
	" CASE WHEN $5 IS NULL THEN '{}' ELSE pg_catalog.jsonb_build_object('emails', pg_catalog.jsonb_build_array("
	"pg_catalog.jsonb_build_object('value', $5, 'primary', true))) END) ON CONFLICT DO NOTHING",
	5, {INT4OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};
static KeptPlan insert_named_roles = {
	"INSERT INTO qehs.role (tenant_id, name) SELECT DISTINCT $1, role_name FROM pg_catalog.unnest($2) AS role_name ON CONFLICT DO NOTHING",
	2, {INT4OID, TEXTARRAYOID}, NULL
};
/* Apart from the one above: its snapshot has the roles that others made meanwhile. */
static KeptPlan insert_members = {
	"INSERT INTO qehs.role_member (tenant_id, role_id, user_id) SELECT $1, id, $3 FROM qehs.role"
	" WHERE tenant_id = $1 AND name = ANY ($2)",
	3, {INT4OID, TEXTARRAYOID, UUIDOID}, NULL
};

/* What an entry of an index may hold with room to spare. */
#define MAX_NAME 1000

/* A required text argument of a DBA's function. */
static char *
required_text(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, psprintf("/%s", name), "required", "is required");
	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(number)) > MAX_NAME)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, psprintf("/%s", name), "maxLength", "must be at most %d bytes", MAX_NAME);
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static void
check_slug(const char *slug)
{
	int			length = strlen(slug);

	if (length < 1 || length > 40 || slug[0] < 'a' || slug[0] > 'z' ||
		strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789_") != (size_t) length)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/slug", "pattern",
						 "must be 1 to 40 lower-case letters, digits or underscores, starting with a letter");
}

/* The arguments of qehs.tenant_create. */
enum
{
	ARGUMENT_TENANT_SLUG, ARGUMENT_TENANT_NAME
};

Datum
qehs_tenant_create(PG_FUNCTION_ARGS)
{
	char	   *slug = required_text(fcinfo, ARGUMENT_TENANT_SLUG, "slug");
	char	   *name = required_text(fcinfo, ARGUMENT_TENANT_NAME, "name");
	Datum		values[2] = {CStringGetTextDatum(slug), CStringGetTextDatum(name)};
	StringInfoData out;
	bytea	   *secret;
	Datum		id;
	TimestampTz created_at;
	bool		isnull;

	check_slug(slug);
	json_begin(&out);
	SPI_connect();
	while (plan_execute(&insert_tenant, values, NULL, false, 0) == 0)
	{
		if (plan_execute(&find_slug, values, NULL, false, 1) > 0)
			problem_raise_at(PROBLEM_CONFLICT, "/slug", "unique", "is taken by another tenant");
		/* its number was taken */
		plan_execute(&catch_up, NULL, NULL, false, 0);
	}
	id = plan_value(0, COLUMN_NEW_ID, &isnull);
	created_at = DatumGetTimestampTz(plan_value(0, COLUMN_NEW_CREATED_AT, &isnull));
	plan_execute(&insert_roles, &id, NULL, false, 0);
	secret = palloc(VARHDRSZ + 32);
	SET_VARSIZE(secret, VARHDRSZ + 32);
	if (!pg_strong_random(VARDATA(secret), 32))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes")));
	values[0] = PointerGetDatum(secret);
	plan_execute(&insert_secret, values, NULL, false, 0);
	SPI_finish();
	json_literal(&out, "{\"slug\":");
	json_string(&out, slug);
	json_literal(&out, ",\"id\":");
	json_int(&out, DatumGetInt32(id));
	json_literal(&out, ",\"name\":");
	json_string(&out, name);
	json_literal(&out, ",\"createdAt\":");
	json_time(&out, created_at);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/* Fill the session's context from the user's row; inside SPI. */
static void
become_user(RequestContext *context, const char *user_name)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), CStringGetTextDatum(user_name)};
	MemoryContext previous;
	bool		isnull;

	if (plan_execute(&select_user, values, NULL, true, 1) == 0 || !DatumGetBool(plan_value(0, COLUMN_USER_ACTIVE, &isnull)))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "the tenant has no active user \"%s\"", user_name);
	previous = MemoryContextSwitchTo(context->memory);
	context->scopes = SCOPE_ALL;
	context->actor_type = ACTOR_USER;
	context->actor_id = *DatumGetUUIDP(plan_value(0, COLUMN_USER_ID, &isnull));
	context->actor_name = TextDatumGetCString(plan_value(0, COLUMN_USER_DISPLAY_NAME, &isnull));
	context->roles = auth_names(plan_value(0, COLUMN_USER_ROLES, &isnull), &context->role_count);
	MemoryContextSwitchTo(previous);
}

/* The arguments of qehs.use_tenant. */
enum
{
	ARGUMENT_USE_SLUG, ARGUMENT_USE_USER_NAME
};

/* use_tenant(slug, user_name): the session acts in a tenant from now on. */
Datum
qehs_use_tenant(PG_FUNCTION_ARGS)
{
	char	   *slug = required_text(fcinfo, ARGUMENT_USE_SLUG, "slug");
	Datum		value = CStringGetTextDatum(slug);
	RequestContext *context;
	int32		tenant_id;
	bool		isnull;

	SPI_connect();
	if (plan_execute(&select_tenant, &value, NULL, true, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, "Create it with qehs.tenant_create.", "there is no tenant \"%s\"", slug);
	if (DatumGetBool(plan_value(0, COLUMN_TENANT_SUSPENDED, &isnull)))
		problem_raise(PROBLEM_FORBIDDEN, "Open it again with qehs.tenant_resume.", "the tenant \"%s\" is suspended", slug);
	tenant_id = DatumGetInt32(plan_value(0, COLUMN_TENANT_ID, &isnull));
	context = context_start_session();
	context->tenant_id = tenant_id;
	context->tenant_slug = MemoryContextStrdup(context->memory, slug);
	/* rights come last: a refused user name leaves a session without any */
	if (!PG_ARGISNULL(ARGUMENT_USE_USER_NAME))
		become_user(context, text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_USE_USER_NAME)));
	else
		context_fill_system(context);
	SPI_finish();
	PG_RETURN_VOID();
}

/* The names must be such as roles have (the CHECK of qehs.role). */
static void
check_roles(Datum array)
{
	ViolationList faults = {0};
	int			count;
	const char **names = auth_names(array, &count);

	for (int i = 0; i < count; i++)
		if (names[i][0] < 'a' || names[i][0] > 'z' || strlen(names[i]) > 63 ||
			strspn(names[i], "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(names[i]))
			violation_add(&faults, psprintf("/roles/%d", i), "pattern",
						  "must be 1 to 63 lower-case letters, digits, underscores or hyphens, starting with a letter");
	violation_raise(&faults);
}

/* The arguments of qehs.user_create. */
enum
{
	ARGUMENT_NEW_USER_NAME, ARGUMENT_NEW_DISPLAY_NAME, ARGUMENT_NEW_EMAIL, ARGUMENT_NEW_ROLES
};

/* user_create(user_name, display_name, email, roles) in the current tenant. */
Datum
qehs_user_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_USERS);
	char	   *user_name = required_text(fcinfo, ARGUMENT_NEW_USER_NAME, "userName");
	char	   *display_name = required_text(fcinfo, ARGUMENT_NEW_DISPLAY_NAME, "displayName");
	pg_uuid_t	id;
	Datum		values[5];
	char		nulls[6] = "     ";
	StringInfoData out;

	id_generate(&id);
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&id);
	values[2] = CStringGetTextDatum(user_name);
	values[3] = CStringGetTextDatum(display_name);
	values[4] = PG_ARGISNULL(ARGUMENT_NEW_EMAIL) ? (Datum) 0 : PG_GETARG_DATUM(ARGUMENT_NEW_EMAIL);
	nulls[4] = PG_ARGISNULL(ARGUMENT_NEW_EMAIL) ? 'n' : ' ';
	json_begin(&out);
	SPI_connect();
	if (plan_execute(&insert_user, values, nulls, false, 0) == 0)
		problem_raise_at(PROBLEM_CONFLICT, "/userName", "unique", "is taken by another user");
	if (!PG_ARGISNULL(ARGUMENT_NEW_ROLES))
	{
		check_roles(PG_GETARG_DATUM(ARGUMENT_NEW_ROLES));
		values[2] = values[1];
		values[1] = PG_GETARG_DATUM(ARGUMENT_NEW_ROLES);
		plan_execute(&insert_named_roles, values, NULL, false, 0);
		plan_execute(&insert_members, values, NULL, false, 0);
	}
	SPI_finish();
	json_literal(&out, "{\"id\":");
	json_id(&out, &id, QEHS_ID_USER);
	json_literal(&out, ",\"userName\":");
	json_string(&out, user_name);
	json_literal(&out, ",\"displayName\":");
	json_string(&out, display_name);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}
