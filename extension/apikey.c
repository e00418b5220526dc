/*
 * apikey.c
 *	  API keys: create, list, revoke.
 *
 * The secret leaves the extension once, in the answer of api_key_create; the
 * table holds its SHA-256 and the prefix that finds it.  A caller cannot give a
 * key more than it has itself.
 */
#include "compat.h"

#include "auth.h"
#include "catalog/pg_type.h"
#include "error.h"
#include "fmgr.h"
#include "id.h"
#include "json.h"
#include "plan.h"
#include "record/cursor.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "watch.h"

PG_FUNCTION_INFO_V1(qehs_api_key_create);
PG_FUNCTION_INFO_V1(qehs_api_key_list);
PG_FUNCTION_INFO_V1(qehs_api_key_revoke);

#define KEY_COLUMNS "id, name, prefix, scopes, roles, modules, rate_limit, created_at, expires_at, revoked_at"

static KeptPlan insert_key = {
	"INSERT INTO qehs.api_key (tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit,"
	" created_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING " KEY_COLUMNS,
	12, {INT4OID, UUIDOID, TEXTOID, TEXTOID, BYTEAOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDOID, INT4OID,
	UUIDOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan select_keys = {
	"SELECT " KEY_COLUMNS " FROM qehs.api_key WHERE tenant_id = $1 AND id > $2 ORDER BY id",
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

static void
write_names(StringInfo out, Datum array, bool isnull)
{
	const char **names;
	int			count;

	if (isnull)
	{
		json_literal(out, "null");
		return;
	}
	names = auth_names(array, &count);
	appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, names[i]);
	}
	appendStringInfoChar(out, ']');
}

static void
write_time(StringInfo out, Datum time, bool isnull)
{
	if (isnull)
		json_literal(out, "null");
	else
		json_time(out, DatumGetTimestampTz(time));
}

/* Append a row of KEY_COLUMNS, without its closing brace. */
static void
write_key(StringInfo out, uint64 row)
{
	bool		isnull;
	Datum		value;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, 1, &isnull)), QEHS_ID_KEY);
	json_literal(out, ",\"name\":");
	json_string(out, TextDatumGetCString(plan_value(row, 2, &isnull)));
	json_literal(out, ",\"prefix\":");
	json_string(out, TextDatumGetCString(plan_value(row, 3, &isnull)));
	json_literal(out, ",\"scopes\":");
	value = plan_value(row, 4, &isnull);
	write_names(out, value, isnull);
	json_literal(out, ",\"roles\":");
	value = plan_value(row, 5, &isnull);
	write_names(out, value, isnull);
	json_literal(out, ",\"modules\":");
	value = plan_value(row, 6, &isnull);
	write_names(out, value, isnull);
	json_literal(out, ",\"rateLimit\":");
	value = plan_value(row, 7, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_int(out, DatumGetInt32(value));
	json_literal(out, ",\"createdAt\":");
	value = plan_value(row, 8, &isnull);
	write_time(out, value, isnull);
	json_literal(out, ",\"expiresAt\":");
	value = plan_value(row, 9, &isnull);
	write_time(out, value, isnull);
	json_literal(out, ",\"revokedAt\":");
	value = plan_value(row, 10, &isnull);
	write_time(out, value, isnull);
}

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

/* api_key_create(name, scopes, roles, modules, expires_at, acting_user, rate_limit) */
Datum
qehs_api_key_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	ViolationList violations = {0};
	char		key[QEHS_KEY_LENGTH + 1];
	bytea	   *hash = palloc(VARHDRSZ + 32);
	pg_uuid_t	id;
	Datum		values[12];
	char		nulls[13] = "            ";
	StringInfoData out;

	if (PG_ARGISNULL(0) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0)
		violation_add(&violations, "/name", "required", "is required");
	for (int i = 1; i <= 2; i++)
		if (PG_ARGISNULL(i))
			violation_add(&violations, i == 1 ? "/scopes" : "/roles", "required", "is required");
	if (!PG_ARGISNULL(1))
		check_scopes(context, PG_GETARG_DATUM(1), &violations);
	if (!PG_ARGISNULL(2))
		check_roles(context, PG_GETARG_DATUM(2), &violations);
	if (!PG_ARGISNULL(6) && PG_GETARG_INT32(6) < 0)
		violation_add(&violations, "/rateLimit", "minimum", "must be at least 0");
	violation_raise(&violations);
	auth_new_key(context->tenant_id, key);
	SET_VARSIZE(hash, VARHDRSZ + 32);
	auth_sha256(key, QEHS_KEY_LENGTH, (uint8 *) VARDATA(hash));
	id_generate(&id);
	json_begin(&out);
	SPI_connect();
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&id);
	values[2] = PG_GETARG_DATUM(0);
	values[3] = PointerGetDatum(cstring_to_text_with_len(key, QEHS_KEY_PREFIX));
	values[4] = PointerGetDatum(hash);
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
	write_key(&out, 0);
	SPI_finish();
	json_literal(&out, ",\"key\":");
	json_string(&out, key);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(context_answer(&out));
}

/* api_key_list(page_size, cursor) */
Datum
qehs_api_key_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	int32		limit = PG_ARGISNULL(0) ? 50 : PG_GETARG_INT32(0);
	pg_uuid_t	last = {{0}};
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&last)};
	StringInfoData out;
	uint64		rows;
	bool		isnull;

	if (limit < 1 || limit > 200)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?limit", "range", "must be from 1 to 200");
	if (!PG_ARGISNULL(1))
	{
		int			length;
		char	   *position = cursor_open(context, "api_key_list", "", text_to_cstring(PG_GETARG_TEXT_PP(1)), &length);

		if (length != sizeof(last))
			problem_raise_at(PROBLEM_INVALID_CURSOR, "?cursor", "invalid", "is not a cursor of this list");
		memcpy(&last, position, sizeof(last));
	}
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	rows = plan_execute(&select_keys, values, NULL, true, limit + 1);
	for (uint64 i = 0; i < Min(rows, (uint64) limit); i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		write_key(&out, i);
		appendStringInfoChar(&out, '}');
		last = *DatumGetUUIDP(plan_value(i, 1, &isnull));
	}
	SPI_finish();
	json_literal(&out, "],\"nextCursor\":");
	if (rows > (uint64) limit)
	{
		char	   *cursor = cursor_seal(context, "api_key_list", "", (const char *) &last, sizeof(last));

		json_string(&out, cursor);
		context_link_next(context, cursor);
	}
	else
		json_literal(&out, "null");
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(context_answer(&out));
}

/* api_key_revoke(id): takes effect on the next request of any backend. */
Datum
qehs_api_key_revoke(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	text	   *wire = PG_ARGISNULL(0) ? cstring_to_text("") : PG_GETARG_TEXT_PP(0);
	pg_uuid_t	id;
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id)};
	bool		found;

	found = id_parse(VARDATA_ANY(wire), VARSIZE_ANY_EXHDR(wire), QEHS_ID_KEY, &id);
	if (found)
	{
		SPI_connect();
		found = plan_execute(&revoke_key, values, NULL, false, 0) == 1;
		SPI_finish();
	}
	if (!found)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such API key");
	watch_announce(WATCH_API_KEY);
	PG_RETURN_NULL();
}
