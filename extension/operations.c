/*
 * operations.c
 *	  Settings of a tenant that work at once: rate limits, and news of changed
 *	  secrets.
 */
#include "compat.h"

#include "auth.h"
#include "catalog/pg_type.h"
#include "error.h"
#include "fmgr.h"
#include "id.h"
#include "plan.h"
#include "utils/builtins.h"
#include "watch.h"

PG_FUNCTION_INFO_V1(qehs_rate_limit_set);
PG_FUNCTION_INFO_V1(qehs_secret_announce);

static KeptPlan upsert_limit = {
	"INSERT INTO qehs.rate_limit (tenant_id, class, key_id, quantity) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (tenant_id, class, key_id) DO UPDATE SET quantity = EXCLUDED.quantity",
	4, {INT4OID, TEXTOID, UUIDOID, INT4OID}, NULL
};
static KeptPlan delete_limit = {
	"DELETE FROM qehs.rate_limit WHERE tenant_id = $1 AND class = $2 AND key_id = $3",
	3, {INT4OID, TEXTOID, UUIDOID}, NULL
};
static KeptPlan select_key = {
	"SELECT FROM qehs.api_key WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL
};

static bool
is_class(const char *name)
{
	return strcmp(name, "default") == 0 || strcmp(name, "signed-urls") == 0 || strcmp(name, "bulk") == 0 ||
		strcmp(name, "exports") == 0;
}

/* The key that the limit is for; zeros stand for all. */
static void
read_key(const RequestContext *context, text *wire, pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};

	if (!id_parse(VARDATA_ANY(wire), VARSIZE_ANY_EXHDR(wire), QEHS_ID_KEY, id) ||
		plan_execute(&select_key, values, NULL, true, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such API key");
}

/* rate_limit_set(class, quantity, key_id) */
Datum
qehs_rate_limit_set(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	pg_uuid_t	id = {{0}};
	Datum		values[4] = {Int32GetDatum(context->tenant_id), (Datum) 0, UUIDPGetDatum(&id), (Datum) 0};

	if (PG_ARGISNULL(0) || !is_class(text_to_cstring(PG_GETARG_TEXT_PP(0))))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/class", "enum", "must be one of default, signed-urls, bulk, exports");
	if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) < 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/quantity", "minimum", "must be at least 0");
	SPI_connect();
	if (!PG_ARGISNULL(2))
		read_key(context, PG_GETARG_TEXT_PP(2), &id);
	values[1] = PG_GETARG_DATUM(0);
	values[3] = PG_GETARG_DATUM(1);
	plan_execute(PG_ARGISNULL(1) ? &delete_limit : &upsert_limit, values, NULL, false, 0);
	SPI_finish();
	watch_announce(WATCH_API_KEY);
	PG_RETURN_VOID();
}

/* secret_announce(): all backends read the secrets again. */
Datum
qehs_secret_announce(PG_FUNCTION_ARGS)
{
	watch_announce(WATCH_SECRET);
	PG_RETURN_VOID();
}
