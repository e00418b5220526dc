/*
 * api_key_create.c
 *	  API keys: create, rotate, revoke.
 *
 * The secret leaves the extension once, in the answer of api_key_create or
 * api_key_rotate; the table holds its SHA-256 and the prefix that finds it.  A
 * caller cannot give a key more than it has itself.
 */
#include "base/compat.h"

#include <sys/socket.h>

#include "base/argument.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "operation/api_key.h"
#include "permission/permission.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"

PG_FUNCTION_INFO_V1(qehs_api_key_create);
PG_FUNCTION_INFO_V1(qehs_api_key_rotate);
PG_FUNCTION_INFO_V1(qehs_api_key_revoke);

#define MAX_OVERLAP (90 * 86400)

static KeptPlan insert_key = {
	"INSERT INTO qehs.api_key (tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit,"
	" created_by, expires_at, allowed_addresses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
	" RETURNING " KEY_COLUMNS,
	13, {INT4OID, UUIDOID, TEXTOID, TEXTOID, BYTEAOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDOID, INT4OID,
	UUIDOID, TIMESTAMPTZOID, CIDRARRAYOID}, NULL
};
static KeptPlan copy_key = {
	"INSERT INTO qehs.api_key (tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit,"
	" created_by, expires_at, allowed_addresses) SELECT tenant_id, $3, name, $4, $5, scopes, roles, modules, user_id,"
	" rate_limit, $6, expires_at, allowed_addresses FROM qehs.api_key WHERE tenant_id = $1 AND id = $2"
	" AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > pg_catalog.now()) RETURNING " KEY_COLUMNS,
	6, {INT4OID, UUIDOID, UUIDOID, TEXTOID, BYTEAOID, UUIDOID}, NULL
};
static KeptPlan expire_key = {
	"UPDATE qehs.api_key SET expires_at = LEAST(expires_at, pg_catalog.now() + $3 * interval '1 second')"
	" WHERE tenant_id = $1 AND id = $2",
	3, {INT4OID, UUIDOID, INT4OID}, NULL
};
static KeptPlan key_grants = {
	"SELECT k.scopes, k.roles, k.modules, k.user_id, k.prefix,"
	" " AUTH_ROLES_OF_USER("$1", "k.user_id")
	" FROM qehs.api_key AS k WHERE k.tenant_id = $1 AND k.id = $2 AND k.revoked_at IS NULL",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan revoke_key = {
	"UPDATE qehs.api_key SET revoked_at = pg_catalog.now() WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL"
	" RETURNING id",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_user = {
	"SELECT u.id, " AUTH_ROLES_OF_USER("$1", "u.id")
	" FROM qehs.user_account AS u WHERE u.tenant_id = $1 AND u.active"
	" AND pg_catalog.lower(u.user_name) = pg_catalog.lower($2)",
	2, {INT4OID, TEXTOID}, NULL
};

/* What a key is to have, as Datums of its columns. */
typedef struct KeyRights
{
	KeyKind		kind;
	Datum		scopes;			/* text[] */
	Datum		roles;			/* text[] */
	bool		all_modules;
	Datum		modules;		/* text[], unless all */
	bool		acts_as_user;
	pg_uuid_t	user_id;		/* of whom it acts as */
	Datum		user_roles;		/* text[] of that user */
} KeyRights;

/* Scopes that exist, that the kind of key may have, and that the caller has. */
static void
check_scopes(const RequestContext *context, const KeyRights *rights, ViolationList *violations)
{
	int			count;
	const char **names = auth_names(rights->scopes, &count);

	for (int i = 0; i < count; i++)
	{
		uint32		scope = scope_parse(names[i]);
		char	   *path = psprintf("/scopes/%d", i);

		if (scope == 0)
			violation_add(violations, path, "enum", "is not a scope: \"%s\"", names[i]);
		else if (rights->kind == KEY_SCIM && scope != SCOPE_ADMIN_USERS)
			violation_add(violations, path, "enum", "must be admin.users for a SCIM key");
		else if (!(context->scopes & scope))
			violation_add(violations, path, "forbidden", "is a scope that the caller lacks");
	}
}

/* Only an administrator may give roles that it does not have itself. */
static bool
may_give_roles(const RequestContext *context, Datum array, ViolationList *violations)
{
	int			before = violations ? violations->count : 0;
	int			count;
	const char **names = auth_names(array, &count);

	for (int i = 0; i < count; i++)
		if (!permission_may_give_role(context, names[i]))
		{
			if (violations == NULL)
				return false;
			violation_add(violations, psprintf("/roles/%d", i), "forbidden", "is a role that the caller lacks");
		}
	return violations == NULL || violations->count == before;
}

/* A caller that is narrowed to modules can only give those. */
static void
check_modules(const RequestContext *context, const KeyRights *rights, ViolationList *violations)
{
	int			count;
	const char **names;

	if (context->module_count < 0)
		return;
	if (rights->all_modules)
	{
		violation_add(violations, "/modules", "required", "must name modules that the caller may touch");
		return;
	}
	names = auth_names(rights->modules, &count);
	for (int i = 0; i < count; i++)
		if (!context_has_module(context, names[i]))
			violation_add(violations, psprintf("/modules/%d", i), "forbidden", "is a module that the caller may not touch");
}

/* A key that names no roles has those of its user; whose deeds it does is for an administrator to say. */
static void
check_user(const RequestContext *context, const KeyRights *rights, ViolationList *violations)
{
	int			count;

	if (!rights->acts_as_user)
		return;
	auth_names(rights->roles, &count);
	if (rights->kind == KEY_SERVICE || rights->kind == KEY_SCIM)
		violation_add(violations, "/actingUser", "forbidden", "must be absent: a %s key acts as itself",
					  keytext_kind_name(rights->kind));
	else if (!permission_is_administrator(context) && memcmp(&rights->user_id, &context->actor_id, sizeof(pg_uuid_t)) != 0)
		violation_add(violations, "/actingUser", "forbidden", "is another user, and the caller is no administrator");
	else if (count == 0 && !may_give_roles(context, rights->user_roles, NULL))
		violation_add(violations, "/actingUser", "forbidden", "has roles that the caller lacks");
}

/* A caller cannot give more than it has. */
static void
check_rights(const RequestContext *context, const KeyRights *rights, ViolationList *violations)
{
	check_scopes(context, rights, violations);
	may_give_roles(context, rights->roles, violations);
	check_modules(context, rights, violations);
	check_user(context, rights, violations);
}

static void
find_user(const RequestContext *context, Datum user_name, KeyRights *rights, ViolationList *violations)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), user_name};
	bool		isnull;

	if (plan_execute(&select_user, values, NULL, true, 1) == 0)
	{
		violation_add(violations, "/actingUser", "not_found", "names no active user");
		return;
	}
	rights->acts_as_user = true;
	rights->user_id = *DatumGetUUIDP(plan_value(0, 1, &isnull));
	rights->user_roles = plan_value(0, 2, &isnull);
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

/* A new secret: its text, its hash for the table, and its prefix. */
static void
make_secret(const RequestContext *context, KeyKind kind, char *key, Datum *prefix, Datum *hash)
{
	bytea	   *digest = palloc(VARHDRSZ + 32);
	KeyText		text = keytext_make(kind, context->tenant_id, key);

	SET_VARSIZE(digest, VARHDRSZ + 32);
	auth_sha256(key, strlen(key), (uint8 *) VARDATA(digest));
	*hash = PointerGetDatum(digest);
	*prefix = PointerGetDatum(cstring_to_text_with_len(key, text.prefix_length));
}

/* The row of the statement just run, with the secret. */
static void
write_new_key(RequestContext *context, StringInfo out, const char *key)
{
	bool		isnull;
	char		id[QEHS_ID_LENGTH + 1];

	api_key_write(out, 0);
	json_literal(out, ",\"key\":");
	json_string(out, key);
	appendStringInfoChar(out, '}');
	id_format(DatumGetUUIDP(plan_value(0, 1, &isnull)), QEHS_ID_KEY, id);
	context_header(context, "Location", "/api/v1/api-keys/%s", id);
	context_header(context, "Cache-Control", "no-store");
	context->secret_answer = true;
}

/* What can be said of the arguments without the table. */
static void
check_arguments(FunctionCallInfo fcinfo, KeyRights *rights, ViolationList *violations)
{
	if (PG_ARGISNULL(0) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0)
		violation_add(violations, "/name", "required", "is required");
	else if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) > 200)
		violation_add(violations, "/name", "maxLength", "must be at most 200 bytes");
	for (int i = 1; i <= 2; i++)
		if (PG_ARGISNULL(i))
			violation_add(violations, i == 1 ? "/scopes" : "/roles", "required", "is required");
	if (!PG_ARGISNULL(6) && PG_GETARG_INT32(6) < 0)
		violation_add(violations, "/rateLimit", "minimum", "must be at least 0");
	rights->kind = PG_ARGISNULL(8) ? KEY_LIVE : keytext_kind_parse(text_to_cstring(PG_GETARG_TEXT_PP(8)));
	if (rights->kind == KEY_KIND_COUNT)
		violation_add(violations, "/kind", "enum", "must be one of live, test, service, scim");
}

static Datum
argument(FunctionCallInfo fcinfo, int number, char *isnull)
{
	*isnull = PG_ARGISNULL(number) ? 'n' : ' ';
	return PG_ARGISNULL(number) ? (Datum) 0 : PG_GETARG_DATUM(number);
}

/* api_key_create(name, scopes, roles, modules, expires_at, acting_user, rate_limit, allowed_addresses, kind) */
Datum
qehs_api_key_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	ViolationList violations = {0};
	KeyRights	rights = {.all_modules = PG_ARGISNULL(3)};
	char		key[QEHS_KEY_MAX_LENGTH + 1];
	pg_uuid_t	id;
	Datum		values[13];
	char		nulls[14] = "             ";
	StringInfoData out;

	check_arguments(fcinfo, &rights, &violations);
	values[2] = argument(fcinfo, 0, &nulls[2]);
	rights.scopes = values[5] = argument(fcinfo, 1, &nulls[5]);
	rights.roles = values[6] = argument(fcinfo, 2, &nulls[6]);
	rights.modules = values[7] = argument(fcinfo, 3, &nulls[7]);
	values[9] = argument(fcinfo, 6, &nulls[9]);
	values[11] = argument(fcinfo, 4, &nulls[11]);
	values[12] = argument(fcinfo, 7, &nulls[12]);
	if (nulls[12] == ' ')
		values[12] = read_networks(values[12], &violations);
	id_generate(&id);
	json_begin(&out);
	SPI_connect();
	if (!PG_ARGISNULL(5))
		find_user(context, PG_GETARG_DATUM(5), &rights, &violations);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		check_rights(context, &rights, &violations);
	violation_raise(&violations);
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&id);
	make_secret(context, rights.kind, key, &values[3], &values[4]);
	values[8] = UUIDPGetDatum(&rights.user_id);
	nulls[8] = rights.acts_as_user ? ' ' : 'n';
	values[10] = UUIDPGetDatum(&context->actor_id);
	plan_execute(&insert_key, values, nulls, false, 0);
	write_new_key(context, &out, key);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

pg_noreturn static void
refuse_unknown_key(void)
{
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such API key");
}

/* The rights of the key in the row just read. */
static void
read_rights(KeyRights *rights)
{
	bool		isnull;
	Datum		value;
	text	   *prefix;

	rights->scopes = plan_value(0, 1, &isnull);
	rights->roles = plan_value(0, 2, &isnull);
	rights->modules = plan_value(0, 3, &rights->all_modules);
	value = plan_value(0, 4, &isnull);
	rights->acts_as_user = !isnull;
	if (!isnull)
		rights->user_id = *DatumGetUUIDP(value);
	prefix = DatumGetTextPP(plan_value(0, 5, &isnull));
	rights->kind = keytext_kind_of(VARDATA_ANY(prefix), VARSIZE_ANY_EXHDR(prefix));
	rights->user_roles = plan_value(0, 6, &isnull);
}

/* api_key_rotate(id, overlap): a new key with the same rights; the old one expires after overlap seconds. */
Datum
qehs_api_key_rotate(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	int32		overlap = PG_ARGISNULL(1) ? 86400 : PG_GETARG_INT32(1);
	ViolationList violations = {0};
	KeyRights	rights = {0};
	char		key[QEHS_KEY_MAX_LENGTH + 1];
	pg_uuid_t	old_id;
	pg_uuid_t	id;
	Datum		values[6] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&old_id), UUIDPGetDatum(&id)};
	StringInfoData out;

	if (overlap < 0 || overlap > MAX_OVERLAP)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/overlapSeconds", "range", "must be from 0 to %d", MAX_OVERLAP);
	if (!argument_id(fcinfo, 0, QEHS_ID_KEY, &old_id))
		refuse_unknown_key();
	id_generate(&id);
	json_begin(&out);
	SPI_connect();
	if (plan_execute(&key_grants, values, NULL, false, 1) == 0)
		refuse_unknown_key();
	read_rights(&rights);
	check_rights(context, &rights, &violations);
	if (violations.count > 0)
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the API key has rights that the caller lacks");
	make_secret(context, rights.kind, key, &values[3], &values[4]);
	values[5] = UUIDPGetDatum(&context->actor_id);
	if (plan_execute(&copy_key, values, NULL, false, 0) == 0)
		refuse_unknown_key();
	write_new_key(context, &out, key);
	values[2] = Int32GetDatum(overlap);
	plan_execute(&expire_key, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* api_key_revoke(id): takes effect on the next request of any backend. */
Datum
qehs_api_key_revoke(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	pg_uuid_t	id;
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id)};
	uint64		found;

	if (!argument_id(fcinfo, 0, QEHS_ID_KEY, &id))
		refuse_unknown_key();
	SPI_connect();
	found = plan_execute(&revoke_key, values, NULL, false, 0);
	SPI_finish();
	if (found == 0)
		refuse_unknown_key();
	PG_RETURN_NULL();
}
