/*
 * api_key_create.c
 *	  qehs.api_key_create: a new API key, which has nothing that its maker lacks (permission/grant.c).
 *
 * Made with a key, it also has that key's limits of other classes than default.
 */
#include "base/compat.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/apikey.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "permission/grant.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"

PG_FUNCTION_INFO_V1(qehs_api_key_create);

#define MAX_NAME 200

typedef enum CreateArgument
{
	ARGUMENT_NAME, ARGUMENT_SCOPES, ARGUMENT_ROLES, ARGUMENT_MODULES, ARGUMENT_EXPIRES_AT, ARGUMENT_ACTING_USER, ARGUMENT_RATE_LIMIT,
	ARGUMENT_ALLOWED_ADDRESSES, ARGUMENT_KIND
} CreateArgument;

static KeptPlan insert_key = {
	"INSERT INTO qehs.api_key (tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit,"
	" created_by, expires_at, allowed_addresses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
	" RETURNING " APIKEY_COLUMNS,
	13, {INT4OID, UUIDOID, TEXTOID, TEXTOID, BYTEAOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDOID, INT4OID,
	UUIDOID, TIMESTAMPTZOID, CIDRARRAYOID}, NULL
};
static KeptPlan copy_limits = {
	"INSERT INTO qehs.rate_limit (tenant_id, class, key_id, quantity) SELECT tenant_id, class, $3, quantity FROM qehs.rate_limit"
	" WHERE tenant_id = $1 AND key_id = $2 AND class <> 'default'",
	3, {INT4OID, UUIDOID, UUIDOID}, NULL
};
static KeptPlan select_default_limit = {
	"SELECT quantity FROM qehs.rate_limit WHERE tenant_id = $1 AND class = 'default' AND key_id = '00000000-0000-0000-0000-000000000000'",
	1, {INT4OID}, NULL
};
static KeptPlan select_user = {
	"SELECT u.id, " AUTH_ROLES_OF_USER("$1", "u.id")
	" FROM qehs.user_account AS u WHERE u.tenant_id = $1 AND u.active AND u.deleted_at IS NULL"
	" AND pg_catalog.lower(u.user_name) = pg_catalog.lower($2)",
	2, {INT4OID, TEXTOID}, NULL
};
/* The columns of select_user. */
enum
{
	COLUMN_ID = 1, COLUMN_ROLES
};

static void
find_user(const RequestContext *context, Datum user_name, PermissionGrant *wanted, ViolationList *violations)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), user_name};
	bool		isnull;

	if (plan_execute(&select_user, values, NULL, true, 1) == 0)
	{
		violation_add(violations, "/actingUser", "not_found", "names no active user");
		return;
	}
	wanted->acts_as_user = true;
	wanted->user_id = *DatumGetUUIDP(plan_value(0, COLUMN_ID, &isnull));
	wanted->user_roles = auth_names(plan_value(0, COLUMN_ROLES, &isnull), &wanted->user_role_count);
}

/* text[] of networks as cidr[]; bits behind the mask are dropped, IPv4 in IPv6 is IPv4, as the shim has clients. */
static Datum
read_networks(Datum array, ViolationList *violations)
{
	static const unsigned char v4_mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	int			count;
	const char **names = auth_names(array, &count);
	Datum	   *networks = palloc(sizeof(Datum) * Max(count, 1));
	unsigned char address[16];

	for (int i = 0; i < count; i++)
	{
		/* checked first, as inet_in raises an error of its own */
		int			family = strchr(names[i], ':') ? PGSQL_AF_INET6 : PGSQL_AF_INET;
		int			bits = pg_inet_net_pton(family, names[i], address, -1);

		if (family == PGSQL_AF_INET6 && bits >= 96 && memcmp(address, v4_mapped, sizeof(v4_mapped)) == 0)
			names[i] = psprintf("%d.%d.%d.%d/%d", address[12], address[13], address[14], address[15], bits - 96);
		if (bits < 0)
			violation_add(violations, psprintf("/allowedAddresses/%d", i), "format",
						  "must be a network such as 192.0.2.0/24 or 2001:db8::/32");
		else if (violations->count == 0)
			networks[i] = DirectFunctionCall1(inet_to_cidr, DirectFunctionCall1(inet_in, CStringGetDatum(names[i])));
	}
	if (violations->count > 0)
		return (Datum) 0;
	return PointerGetDatum(construct_array(networks, count, CIDROID, -1, false, TYPALIGN_INT));
}


/* Whether a text stands on one line: no control characters. */
static bool
is_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char) *text < ' ' || *text == 0x7F)
			return false;
	return true;
}

/* Returns the names of a text[] argument; adds a violation for each element that is not a valid name. */
static const char **
read_names(FunctionCallInfo fcinfo, int number, const char *path, int *count, ViolationList *violations)
{
	const char **names;

	if (array_contains_nulls(PG_GETARG_ARRAYTYPE_P(number)))
	{
		violation_add(violations, path, "type", "must be an array of strings");
		*count = 0;
		return NULL;
	}
	names = auth_names(PG_GETARG_DATUM(number), count);
	for (int i = 0; i < *count; i++)
		if (*names[i] == '\0' || strlen(names[i]) > MAX_NAME || !is_line(names[i]))
			violation_add(violations, psprintf("%s/%d", path, i), "pattern", "must be 1 to %d bytes without control characters", MAX_NAME);
	return names;
}

static void
check_name(FunctionCallInfo fcinfo, ViolationList *violations)
{
	char	   *name = PG_ARGISNULL(ARGUMENT_NAME) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_NAME));

	if (*name == '\0')
		violation_add(violations, "/name", "required", "is required");
	else if (strlen(name) > MAX_NAME)
		violation_add(violations, "/name", "maxLength", "must be at most %d bytes", MAX_NAME);
	else if (!is_line(name))
		violation_add(violations, "/name", "pattern", "must have no control characters, such as line ends");
}

/* When the key ends: in the future, or never. */
static TimestampTz
read_end(FunctionCallInfo fcinfo, ViolationList *violations)
{
	TimestampTz end = PG_ARGISNULL(ARGUMENT_EXPIRES_AT) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(ARGUMENT_EXPIRES_AT);

	if (end <= clock_transaction())
		violation_add(violations, "/expiresAt", "minimum", "must be in the future");
	return end;
}

/* The requests a minute that the key has: its own, or those of all keys of the tenant; inside SPI. */
static int32
read_rate_limit(FunctionCallInfo fcinfo, const RequestContext *context, ViolationList *violations)
{
	Datum		tenant = Int32GetDatum(context->tenant_id);
	bool		isnull;

	if (PG_ARGISNULL(ARGUMENT_RATE_LIMIT))
		return plan_execute(&select_default_limit, &tenant, NULL, true, 1) == 1 ? DatumGetInt32(plan_value(0, 1, &isnull)) : QEHS_RATE_LIMIT;
	if (PG_GETARG_INT32(ARGUMENT_RATE_LIMIT) < 0)
		violation_add(violations, "/rateLimit", "minimum", "must be at least 0");
	return PG_GETARG_INT32(ARGUMENT_RATE_LIMIT);
}

/* What the arguments ask for; inside SPI.  With violations it may be incomplete. */
static void
read_wanted(FunctionCallInfo fcinfo, const RequestContext *context, PermissionGrant *wanted, Datum *networks, ViolationList *violations)
{
	check_name(fcinfo, violations);
	wanted->module_count = -1;
	if (PG_ARGISNULL(ARGUMENT_SCOPES))
		violation_add(violations, "/scopes", "required", "is required");
	else
		wanted->scopes = read_names(fcinfo, ARGUMENT_SCOPES, "/scopes", &wanted->scope_count, violations);
	if (PG_ARGISNULL(ARGUMENT_ROLES))
		violation_add(violations, "/roles", "required", "is required");
	else
		wanted->roles = read_names(fcinfo, ARGUMENT_ROLES, "/roles", &wanted->role_count, violations);
	if (!PG_ARGISNULL(ARGUMENT_MODULES))
		wanted->modules = read_names(fcinfo, ARGUMENT_MODULES, "/modules", &wanted->module_count, violations);
	wanted->expires_at = read_end(fcinfo, violations);
	wanted->rate_limit = read_rate_limit(fcinfo, context, violations);
	wanted->kind = PG_ARGISNULL(ARGUMENT_KIND) ? KEY_LIVE : keytext_kind_parse(text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_KIND)));
	if (wanted->kind == KEY_KIND_COUNT)
		violation_add(violations, "/kind", "enum", "must be one of live, test, service, scim");
	if (!PG_ARGISNULL(ARGUMENT_ALLOWED_ADDRESSES))
	{
		*networks = read_networks(PG_GETARG_DATUM(ARGUMENT_ALLOWED_ADDRESSES), violations);
		wanted->allowed_addresses = *networks ? DatumGetArrayTypeP(*networks) : NULL;
	}
	if (!PG_ARGISNULL(ARGUMENT_ACTING_USER))
		find_user(context, PG_GETARG_DATUM(ARGUMENT_ACTING_USER), wanted, violations);
}

/* Store a key and append its answer; inside SPI. */
static void
store(FunctionCallInfo fcinfo, RequestContext *context, const PermissionGrant *wanted, Datum networks, StringInfo out)
{
	char		key[QEHS_KEY_MAX_LENGTH + 1];
	pg_uuid_t	id;
	Datum		values[13] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), PG_GETARG_DATUM(ARGUMENT_NAME), 0, 0,
		PG_GETARG_DATUM(ARGUMENT_SCOPES), PG_GETARG_DATUM(ARGUMENT_ROLES), PG_GETARG_DATUM(ARGUMENT_MODULES), UUIDPGetDatum(&wanted->user_id),
	PG_GETARG_DATUM(ARGUMENT_RATE_LIMIT), UUIDPGetDatum(&context->actor_id), TimestampTzGetDatum(wanted->expires_at), networks};
	char		nulls[14] = "             ";
	Datum		limits[3] = {values[0], (Datum) 0, values[1]};

	id_generate(&id);
	apikey_make_secret(context->tenant_id, wanted->kind, key, &values[3], &values[4]);
	nulls[7] = wanted->module_count < 0 ? 'n' : ' ';
	nulls[8] = wanted->acts_as_user ? ' ' : 'n';
	nulls[9] = PG_ARGISNULL(ARGUMENT_RATE_LIMIT) ? 'n' : ' ';
	nulls[11] = wanted->expires_at == DT_NOEND ? 'n' : ' ';
	nulls[12] = wanted->allowed_addresses ? ' ' : 'n';
	plan_execute(&insert_key, values, nulls, false, 0);
	apikey_write_new(out, context, key);
	if (context->grant)
	{
		limits[1] = UUIDPGetDatum(&context->grant->key_id);
		plan_execute(&copy_limits, limits, NULL, false, 0);
	}
}

/* api_key_create(name, scopes, roles, modules, expires_at, acting_user, rate_limit, allowed_addresses, kind) */
Datum
qehs_api_key_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	ViolationList violations = {0};
	PermissionGrant wanted = {0};
	Datum		networks = (Datum) 0;
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	read_wanted(fcinfo, context, &wanted, &networks, &violations);
	permission_check_grant(context, &wanted, &violations);
	violation_raise(&violations);
	store(fcinfo, context, &wanted, networks, &out);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}
