/*
 * rate_limit.c
 *	  Settings of a tenant that work at once: rate limits.
 */
#include "base/compat.h"

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_rate_limit_set);
PG_FUNCTION_INFO_V1(qehs_rate_limit_list);

#define ALL_KEYS "'00000000-0000-0000-0000-000000000000'::pg_catalog.uuid"

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

/* What holds: of each class, then of single keys, by the table or given at their creation. */
static KeptPlan select_limits = {
	"SELECT c.class, NULL::pg_catalog.uuid, COALESCE(l.quantity, c.quantity), l.quantity IS NULL FROM (VALUES (1, 'default', "
	CppAsString2(QEHS_RATE_LIMIT) "), (2, 'signed-urls', " CppAsString2(QEHS_SIGNED_URL_LIMIT) "), (3, 'tenant', 0), (4, 'bulk', "
	CppAsString2(QEHS_BULK_LIMIT) "), (5, 'exports', " CppAsString2(QEHS_EXPORT_LIMIT) ")) AS c (place, class, quantity)"
	" LEFT JOIN qehs.rate_limit AS l ON l.tenant_id = $1 AND l.class = c.class AND l.key_id = " ALL_KEYS
	" UNION ALL SELECT l.class, l.key_id, l.quantity, false FROM qehs.rate_limit AS l WHERE l.tenant_id = $1 AND l.key_id <> " ALL_KEYS
	" UNION ALL SELECT 'default', k.id, k.rate_limit, false FROM qehs.api_key AS k WHERE k.tenant_id = $1 AND k.revoked_at IS NULL"
	" AND k.rate_limit IS NOT NULL AND NOT EXISTS (SELECT FROM qehs.rate_limit AS l WHERE l.tenant_id = $1 AND l.class = 'default'"
	" AND l.key_id = k.id) ORDER BY 2 NULLS FIRST, 1",
	1, {INT4OID}, NULL
};
/* The columns of select_limits. */
enum
{
	COLUMN_CLASS = 1, COLUMN_KEY_ID, COLUMN_QUANTITY, COLUMN_IS_DEFAULT
};

static bool
is_class(const char *name)
{
	return strcmp(name, "default") == 0 || strcmp(name, "signed-urls") == 0 || strcmp(name, "tenant") == 0 ||
		strcmp(name, "bulk") == 0 || strcmp(name, "exports") == 0;
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

/* The arguments of qehs.rate_limit_set. */
enum
{
	ARGUMENT_CLASS, ARGUMENT_QUANTITY, ARGUMENT_KEY_ID
};

/* rate_limit_set(class, quantity, key_id) */
Datum
qehs_rate_limit_set(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	pg_uuid_t	id = {{0}};
	Datum		values[4] = {Int32GetDatum(context->tenant_id), (Datum) 0, UUIDPGetDatum(&id), (Datum) 0};

	if (PG_ARGISNULL(ARGUMENT_CLASS) || !is_class(text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_CLASS))))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/class", "enum", "must be one of default, signed-urls, tenant, bulk, exports");
	if (!PG_ARGISNULL(ARGUMENT_QUANTITY) && PG_GETARG_INT32(ARGUMENT_QUANTITY) < 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/quantity", "minimum", "must be at least 0");
	if (!PG_ARGISNULL(ARGUMENT_KEY_ID) && strcmp(text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_CLASS)), "tenant") == 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/keyId", "forbidden", "must be absent: the class tenant is that of all keys together");
	SPI_connect();
	if (!PG_ARGISNULL(ARGUMENT_KEY_ID))
		read_key(context, PG_GETARG_TEXT_PP(ARGUMENT_KEY_ID), &id);
	values[1] = PG_GETARG_DATUM(ARGUMENT_CLASS);
	values[3] = PG_GETARG_DATUM(ARGUMENT_QUANTITY);
	plan_execute(PG_ARGISNULL(ARGUMENT_QUANTITY) ? &delete_limit : &upsert_limit, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_VOID();
}

/* rate_limit_list() */
Datum
qehs_rate_limit_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	Datum		tenant_id = Int32GetDatum(context->tenant_id);
	StringInfoData out;
	uint64		rows;

	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	rows = plan_execute(&select_limits, &tenant_id, NULL, true, 0);
	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;
		Datum		key_id;

		appendStringInfoString(&out, i > 0 ? ",{\"class\":" : "{\"class\":");
		json_string(&out, TextDatumGetCString(plan_value(i, COLUMN_CLASS, &isnull)));
		json_literal(&out, ",\"keyId\":");
		key_id = plan_value(i, COLUMN_KEY_ID, &isnull);
		if (isnull)
			json_literal(&out, "null");
		else
			json_id(&out, DatumGetUUIDP(key_id), QEHS_ID_KEY);
		json_literal(&out, ",\"quantity\":");
		json_int(&out, DatumGetInt32(plan_value(i, COLUMN_QUANTITY, &isnull)));
		appendStringInfo(&out, ",\"builtIn\":%s}", DatumGetBool(plan_value(i, COLUMN_IS_DEFAULT, &isnull)) ? "true" : "false");
	}
	SPI_finish();
	json_literal(&out, "]}");
	PG_RETURN_DATUM(json_datum(&out));
}
