/*
 * api_key_list.c
 *	  API keys: get and list, never with their secrets.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "operation/api_key.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_api_key_get);
PG_FUNCTION_INFO_V1(qehs_api_key_list);

static KeptPlan select_keys = {
	"SELECT " KEY_COLUMNS " FROM qehs.api_key WHERE tenant_id = $1 AND id > $2 ORDER BY id",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_key = {
	"SELECT " KEY_COLUMNS " FROM qehs.api_key WHERE tenant_id = $1 AND id = $2",
	2, {INT4OID, UUIDOID}, NULL
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

static void
write_networks(StringInfo out, Datum array, bool isnull)
{
	ArrayIterator iterator;
	Datum		network;
	int			count = 0;

	if (isnull)
	{
		json_literal(out, "null");
		return;
	}
	iterator = array_create_iterator(DatumGetArrayTypeP(array), 0, NULL);
	appendStringInfoChar(out, '[');
	while (array_iterate(iterator, &network, &isnull))
	{
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_string(out, TextDatumGetCString(DirectFunctionCall1(network_show, network)));
	}
	appendStringInfoChar(out, ']');
}

void
api_key_write(StringInfo out, uint64 row)
{
	static const char *const times[] = {"createdAt", "expiresAt", "revokedAt", "lastUsedAt"};
	bool		isnull;
	Datum		value;
	char	   *prefix;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, 1, &isnull)), QEHS_ID_KEY);
	json_literal(out, ",\"name\":");
	json_string(out, TextDatumGetCString(plan_value(row, 2, &isnull)));
	prefix = TextDatumGetCString(plan_value(row, 3, &isnull));
	json_literal(out, ",\"kind\":");
	json_string(out, keytext_kind_name(keytext_kind_of(prefix, strlen(prefix))));
	json_literal(out, ",\"prefix\":");
	json_string(out, prefix);
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
	for (int i = 0; i < (int) lengthof(times); i++)
	{
		appendStringInfo(out, ",\"%s\":", times[i]);
		value = plan_value(row, 8 + i, &isnull);
		write_time(out, value, isnull);
	}
	json_literal(out, ",\"allowedAddresses\":");
	value = plan_value(row, 12, &isnull);
	write_networks(out, value, isnull);
	json_literal(out, ",\"actingUser\":");
	value = plan_value(row, 13, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_id(out, DatumGetUUIDP(value), QEHS_ID_USER);
}

/* api_key_get(id) */
Datum
qehs_api_key_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	pg_uuid_t	id;
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id)};
	StringInfoData out;
	bool		found = argument_id(fcinfo, 0, QEHS_ID_KEY, &id);

	json_begin(&out);
	SPI_connect();
	if (found && plan_execute(&select_key, values, NULL, true, 1) == 1)
		api_key_write(&out, 0);
	else
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such API key");
	SPI_finish();
	appendStringInfoChar(&out, '}');
	/* keys have no versions: the tag is of what is shown */
	context_header(context, "ETag", "\"%016llx\"",
				   (unsigned long long) hash_bytes_extended((const unsigned char *) out.data + VARHDRSZ, out.len - VARHDRSZ, 0));
	PG_RETURN_DATUM(context_answer(&out));
}

/* api_key_list(page_size, cursor) */
Datum
qehs_api_key_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, 0, &faults);
	pg_uuid_t	last = {{0}};
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&last)};
	StringInfoData out;
	char	   *next = NULL;
	uint64		rows;
	bool		isnull;

	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	if (!PG_ARGISNULL(1))
	{
		int			length;
		char	   *position = cursor_open(context->tenant_id, "api_key_list", "", text_to_cstring(PG_GETARG_TEXT_PP(1)), &length);

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
		api_key_write(&out, i);
		appendStringInfoChar(&out, '}');
		last = *DatumGetUUIDP(plan_value(i, 1, &isnull));
	}
	SPI_finish();
	if (rows > (uint64) limit)
		next = cursor_seal(context->tenant_id, "api_key_list", "", (const char *) &last, sizeof(last));
	PG_RETURN_DATUM(context_answer_page(&out, context, next));
}
