/*
 * apikey.c
 *	  API keys: create, rotate, revoke.
 *
 * The secret leaves the extension once, in the answer of api_key_create or
 * api_key_rotate; the table holds its SHA-256 and the prefix that finds it.  A
 * caller cannot give a key more than it has itself.
 */
#include "compat.h"

#include <sys/socket.h>

#include "apikey.h"
#include "argument.h"
#include "auth.h"
#include "catalog/pg_type.h"
#include "error.h"
#include "fmgr.h"
#include "id.h"
#include "json.h"
#include "plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "watch.h"

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
	"SELECT scopes, roles FROM qehs.api_key WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan revoke_key = {
	"UPDATE qehs.api_key SET revoked_at = pg_catalog.now() WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL"
	" RETURNING id",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_user = {
	"SELECT id FROM qehs.user_account WHERE tenant_id = $1 AND active"
	" AND pg_catalog.lower(user_name) = pg_catalog.lower($2)",
	2, {INT4OID, TEXTOID}, NULL
};

/* Scopes that exist and that the caller has. */
static void
check_scopes(const RequestContext *context, Datum array, ViolationList *violations)
{
	int			count;
	const char **names = auth_names(array, &count);

	for (int i = 0; i < count; i++)
	{
		uint32		scope = scope_parse(names[i]);

		if (scope == 0)
			violation_add(violations, psprintf("/scopes/%d", i), "enum", "is not a scope: \"%s\"", names[i]);
		else if (!(context->scopes & scope))
			violation_add(violations, psprintf("/scopes/%d", i), "forbidden", "is a scope that the caller lacks");
	}
}

/* Only an administrator may give roles that it does not have itself. */
static void
check_roles(const RequestContext *context, Datum array, ViolationList *violations)
{
	int			count;
	const char **names = auth_names(array, &count);

	for (int i = 0; i < count; i++)
		if (!context->administrator && !context_has_role(context, names[i]))
			violation_add(violations, psprintf("/roles/%d", i), "forbidden", "is a role that the caller lacks");
}

static Datum
find_user(const RequestContext *context, Datum user_name)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), user_name};
	bool		isnull;

	if (plan_execute(&select_user, values, NULL, true, 1) == 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/actingUser", "not_found", "names no active user");
	return plan_value(0, 1, &isnull);
}

/* text[] of networks as cidr[]; bits behind the mask are dropped. */
static Datum
read_networks(Datum array, ViolationList *violations)
{
	int			count;
	const char **names = auth_names(array, &count);
	Datum	   *networks = palloc(sizeof(Datum) * Max(count, 1));
	unsigned char address[16];

	for (int i = 0; i < count; i++)
	{
		/* checked first, as inet_in raises an error of its own */
		int			family = strchr(names[i], ':') ? PGSQL_AF_INET6 : PGSQL_AF_INET;

		if (pg_inet_net_pton(family, names[i], address, -1) < 0)
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
make_secret(const RequestContext *context, char *key, Datum *prefix, Datum *hash)
{
	bytea	   *digest = palloc(VARHDRSZ + 32);

	auth_new_key(context->tenant_id, key);
	SET_VARSIZE(digest, VARHDRSZ + 32);
	auth_sha256(key, QEHS_KEY_LENGTH, (uint8 *) VARDATA(digest));
	*hash = PointerGetDatum(digest);
	*prefix = PointerGetDatum(cstring_to_text_with_len(key, QEHS_KEY_PREFIX));
}

/* The row of the statement just run, with the secret. */
static void
write_new_key(RequestContext *context, StringInfo out, const char *key)
{
	bool		isnull;
	char		id[QEHS_ID_LENGTH + 1];

	apikey_write(out, 0);
	json_literal(out, ",\"key\":");
	json_string(out, key);
	appendStringInfoChar(out, '}');
	id_format(DatumGetUUIDP(plan_value(0, 1, &isnull)), QEHS_ID_KEY, id);
	context_header(context, "Location", "/api/v1/api-keys/%s", id);
	context_header(context, "Cache-Control", "no-store");
	context->secret_answer = true;
}

/* api_key_create(name, scopes, roles, modules, expires_at, acting_user, rate_limit, allowed_addresses) */
Datum
qehs_api_key_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	ViolationList violations = {0};
	char		key[QEHS_KEY_LENGTH + 1];
	pg_uuid_t	id;
	Datum		values[13];
	char		nulls[14] = "             ";
	StringInfoData out;

	if (PG_ARGISNULL(0) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0)
		violation_add(&violations, "/name", "required", "is required");
	else if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) > 200)
		violation_add(&violations, "/name", "maxLength", "must be at most 200 bytes");
	for (int i = 1; i <= 2; i++)
		if (PG_ARGISNULL(i))
			violation_add(&violations, i == 1 ? "/scopes" : "/roles", "required", "is required");
	if (!PG_ARGISNULL(1))
		check_scopes(context, PG_GETARG_DATUM(1), &violations);
	if (!PG_ARGISNULL(2))
		check_roles(context, PG_GETARG_DATUM(2), &violations);
	if (!PG_ARGISNULL(6) && PG_GETARG_INT32(6) < 0)
		violation_add(&violations, "/rateLimit", "minimum", "must be at least 0");
	values[12] = PG_ARGISNULL(7) ? (Datum) 0 : read_networks(PG_GETARG_DATUM(7), &violations);
	nulls[12] = PG_ARGISNULL(7) ? 'n' : ' ';
	violation_raise(&violations);
	id_generate(&id);
	json_begin(&out);
	SPI_connect();
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&id);
	values[2] = PG_GETARG_DATUM(0);
	make_secret(context, key, &values[3], &values[4]);
	values[5] = PG_GETARG_DATUM(1);
	values[6] = PG_GETARG_DATUM(2);
	values[7] = PG_GETARG_DATUM(3);
	nulls[7] = PG_ARGISNULL(3) ? 'n' : ' ';
	values[8] = PG_ARGISNULL(5) ? (Datum) 0 : find_user(context, PG_GETARG_DATUM(5));
	nulls[8] = PG_ARGISNULL(5) ? 'n' : ' ';
	values[9] = PG_GETARG_DATUM(6);
	nulls[9] = PG_ARGISNULL(6) ? 'n' : ' ';
	values[10] = UUIDPGetDatum(&context->actor_id);
	values[11] = PG_GETARG_DATUM(4);
	nulls[11] = PG_ARGISNULL(4) ? 'n' : ' ';
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

/* api_key_rotate(id, overlap): a new key with the same rights; the old one expires after overlap seconds. */
Datum
qehs_api_key_rotate(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	int32		overlap = PG_ARGISNULL(1) ? 86400 : PG_GETARG_INT32(1);
	ViolationList violations = {0};
	char		key[QEHS_KEY_LENGTH + 1];
	pg_uuid_t	old_id;
	pg_uuid_t	id;
	Datum		values[6] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&old_id), UUIDPGetDatum(&id)};
	StringInfoData out;
	bool		isnull;

	if (overlap < 0 || overlap > MAX_OVERLAP)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/overlapSeconds", "range", "must be from 0 to %d", MAX_OVERLAP);
	if (!argument_id(fcinfo, 0, QEHS_ID_KEY, &old_id))
		refuse_unknown_key();
	id_generate(&id);
	json_begin(&out);
	SPI_connect();
	if (plan_execute(&key_grants, values, NULL, false, 1) == 0)
		refuse_unknown_key();
	check_scopes(context, plan_value(0, 1, &isnull), &violations);
	check_roles(context, plan_value(0, 2, &isnull), &violations);
	if (violations.count > 0)
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the API key has scopes or roles that the caller lacks");
	make_secret(context, key, &values[3], &values[4]);
	values[5] = UUIDPGetDatum(&context->actor_id);
	if (plan_execute(&copy_key, values, NULL, false, 0) == 0)
		refuse_unknown_key();
	write_new_key(context, &out, key);
	values[2] = Int32GetDatum(overlap);
	plan_execute(&expire_key, values, NULL, false, 0);
	SPI_finish();
	watch_announce(WATCH_API_KEY);
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
	watch_announce(WATCH_API_KEY);
	PG_RETURN_NULL();
}
