/*
 * apikey.c
 *	  Rows of qehs.api_key as JSON, and new secrets.
 *
 * The secret leaves the extension once, in the answer of api_key_create or
 * api_key_rotate; the table holds its SHA-256 and the prefix that finds it.
 */
#include "base/compat.h"

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/sha256.h"
#include "caller/apikey.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* The columns of APIKEY_COLUMNS. */
enum
{
	COLUMN_ID = 1, COLUMN_NAME, COLUMN_PREFIX, COLUMN_SCOPES, COLUMN_ROLES, COLUMN_MODULES, COLUMN_RATE_LIMIT, COLUMN_CREATED_AT,
	COLUMN_EXPIRES_AT, COLUMN_REVOKED_AT, COLUMN_LAST_USED_AT, COLUMN_ALLOWED_ADDRESSES, COLUMN_USER_ID
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
	json_strings(out, names, count);
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
apikey_write(StringInfo out, uint64 row)
{
	static const char *const times[] = {"createdAt", "expiresAt", "revokedAt", "lastUsedAt"};
	bool		isnull;
	Datum		value;
	char	   *prefix;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull)), QEHS_ID_KEY);
	json_literal(out, ",\"name\":");
	json_string(out, TextDatumGetCString(plan_value(row, COLUMN_NAME, &isnull)));
	prefix = TextDatumGetCString(plan_value(row, COLUMN_PREFIX, &isnull));
	json_literal(out, ",\"kind\":");
	json_string(out, keytext_kind_name(keytext_kind_of(prefix, strlen(prefix))));
	json_literal(out, ",\"prefix\":");
	json_string(out, prefix);
	json_literal(out, ",\"scopes\":");
	value = plan_value(row, COLUMN_SCOPES, &isnull);
	write_names(out, value, isnull);
	json_literal(out, ",\"roles\":");
	value = plan_value(row, COLUMN_ROLES, &isnull);
	write_names(out, value, isnull);
	json_literal(out, ",\"modules\":");
	value = plan_value(row, COLUMN_MODULES, &isnull);
	write_names(out, value, isnull);
	json_literal(out, ",\"rateLimit\":");
	value = plan_value(row, COLUMN_RATE_LIMIT, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_int(out, DatumGetInt32(value));
	for (int i = 0; i < (int) lengthof(times); i++)
	{
		appendStringInfo(out, ",\"%s\":", times[i]);
		value = plan_value(row, COLUMN_CREATED_AT + i, &isnull);
		write_time(out, value, isnull);
	}
	json_literal(out, ",\"allowedAddresses\":");
	value = plan_value(row, COLUMN_ALLOWED_ADDRESSES, &isnull);
	write_networks(out, value, isnull);
	json_literal(out, ",\"actingUser\":");
	value = plan_value(row, COLUMN_USER_ID, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_id(out, DatumGetUUIDP(value), QEHS_ID_USER);
}

void
apikey_make_secret(int32 tenant_id, KeyKind kind, char *key, Datum *prefix, Datum *hash)
{
	bytea	   *digest = palloc(VARHDRSZ + 32);
	KeyText		text = keytext_make(kind, tenant_id, key);

	SET_VARSIZE(digest, VARHDRSZ + 32);
	sha256_bytes(key, strlen(key), (uint8 *) VARDATA(digest));
	*hash = PointerGetDatum(digest);
	*prefix = PointerGetDatum(cstring_to_text_with_len(key, text.prefix_length));
}

void
apikey_write_new(StringInfo out, RequestContext *context, const char *key)
{
	bool		isnull;
	char		id[QEHS_ID_LENGTH + 1];

	apikey_write(out, 0);
	json_literal(out, ",\"key\":");
	json_string(out, key);
	appendStringInfoChar(out, '}');
	id_format(DatumGetUUIDP(plan_value(0, COLUMN_ID, &isnull)), QEHS_ID_KEY, id);
	context_header(context, "Location", "/api/v1/api-keys/%s", id);
	context_header(context, "Cache-Control", "no-store");
	context->secret_answer = true;
}

void
apikey_not_found(void)
{
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such API key");
}
