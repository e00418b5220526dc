/*
 * idempotency.c
 *	  Replays of mutating requests.
 *
 * A transaction-level advisory lock on the key's hash decides who runs; it is
 * taken before the look-up, and the look-up has a fresh snapshot, so whoever
 * gets the lock sees what the last holder committed.  A request that fails rolls
 * its row back with its effect and leaves no key behind.
 *
 * An answer that holds a new API key is encrypted with the API key of its
 * request (seal.c), so that no secret stands in the table.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "base/seal.h"
#include "caller/idempotency.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"

static KeptPlan select_answer = {
	"SELECT fingerprint, status, headers, body, sealed, created_at > $4 - interval '24 hours'"
	" FROM qehs.idempotency WHERE tenant_id = $1 AND key_id = $2 AND idempotency_key = $3",
	4, {INT4OID, UUIDOID, TEXTOID, TIMESTAMPTZOID}, NULL
};
/* The columns of select_answer. */
enum
{
	COLUMN_FINGERPRINT = 1, COLUMN_STATUS, COLUMN_HEADERS, COLUMN_BODY, COLUMN_SEALED, COLUMN_IS_FRESH
};

static KeptPlan delete_answer = {
	"DELETE FROM qehs.idempotency WHERE tenant_id = $1 AND key_id = $2 AND idempotency_key = $3",
	3, {INT4OID, UUIDOID, TEXTOID}, NULL
};

static KeptPlan insert_answer = {
	"INSERT INTO qehs.idempotency (tenant_id, key_id, idempotency_key, fingerprint, status, headers, body, sealed, created_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
	9, {INT4OID, UUIDOID, TEXTOID, BYTEAOID, INT4OID, TEXTOID, TEXTOID, BOOLOID, TIMESTAMPTZOID}, NULL
};

static bool
lock_key(const RequestContext *context)
{
	LOCKTAG		tag;
	uint64		hash;

	hash = hash_bytes_extended((const unsigned char *) context->idempotency_key,
							   strlen(context->idempotency_key), (uint64) context->tenant_id);
	hash ^= hash_bytes_extended(context->key_id.data, sizeof(context->key_id.data), 0);
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, LOCK_IDEMPOTENCY);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

pg_noreturn static void
replay(const RequestContext *context)
{
	StringInfoData detail;
	bool		isnull;
	Datum		body;

	initStringInfo(&detail);
	json_literal(&detail, "{\"status\":");
	json_int(&detail, DatumGetInt32(plan_value(0, COLUMN_STATUS, &isnull)));
	json_literal(&detail, ",\"headers\":");
	json_string(&detail, TextDatumGetCString(plan_value(0, COLUMN_HEADERS, &isnull)));
	json_literal(&detail, ",\"body\":");
	body = plan_value(0, COLUMN_BODY, &isnull);
	if (isnull)
		json_string(&detail, NULL);
	else if (DatumGetBool(plan_value(0, COLUMN_SEALED, &isnull)))
		json_string(&detail, seal_open(context->credential, TextDatumGetCString(body)));
	else
		json_string(&detail, TextDatumGetCString(body));
	appendStringInfoChar(&detail, '}');
	ereport(ERROR,
			(errcode(MAKE_SQLSTATE('Q', 'H', '2', '0', '0')),
			 errmsg("the request was answered before"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "idempotent_replay"),
			 errdetail_internal("%s", detail.data)));
	pg_unreachable();
}

void
idempotency_claim(const RequestContext *context)
{
	Datum		values[4];
	bool		isnull;
	bytea	   *stored;

	if (!lock_key(context))
		problem_raise_detail(PROBLEM_KEY_IN_PROGRESS, "{\"headers\":{\"Retry-After\":\"1\"}}",
							 "Send the request again when the first one has been answered.",
							 "a request with this idempotency key is in progress");
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&context->key_id);
	values[2] = CStringGetTextDatum(context->idempotency_key);
	values[3] = TimestampTzGetDatum(clock_transaction());
	SPI_connect();
	if (plan_execute(&select_answer, values, NULL, false, 1) == 1)
	{
		if (!DatumGetBool(plan_value(0, COLUMN_IS_FRESH, &isnull)))
			plan_execute(&delete_answer, values, NULL, false, 0);
		else
		{
			stored = DatumGetByteaPP(plan_value(0, COLUMN_FINGERPRINT, &isnull));
			if (context->fingerprint == NULL ||
				VARSIZE_ANY_EXHDR(stored) != VARSIZE_ANY_EXHDR(context->fingerprint) ||
				memcmp(VARDATA_ANY(stored), VARDATA_ANY(context->fingerprint), VARSIZE_ANY_EXHDR(stored)) != 0)
				problem_raise_at(PROBLEM_KEY_CONFLICT, "@Idempotency-Key", "reused",
								 "was used with another request");
			replay(context);
		}
	}
	SPI_finish();
}

void
idempotency_store(const RequestContext *context, int status)
{
	Datum		values[9];
	char		nulls[10] = "         ";

	if (context->secret_answer && context->credential == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "@Idempotency-Key", "secret",
						 "cannot be used with a token for an answer that holds a secret; use an API key or no Idempotency-Key");
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&context->key_id);
	values[2] = CStringGetTextDatum(context->idempotency_key);
	values[3] = PointerGetDatum(context->fingerprint);
	values[4] = Int32GetDatum(status);
	values[5] = CStringGetTextDatum(context->headers.data ? context->headers.data : "");
	values[6] = (Datum) 0;
	if (context->body && context->secret_answer)
		values[6] = CStringGetTextDatum(seal_close(context->credential, context->body, context->body_length));
	else if (context->body)
		values[6] = PointerGetDatum(cstring_to_text_with_len(context->body, context->body_length));
	values[7] = BoolGetDatum(context->secret_answer);
	values[8] = TimestampTzGetDatum(clock_transaction());
	if (context->fingerprint == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "@Idempotency-Key", "fingerprint",
						 "needs the fingerprint of its request");
	nulls[6] = context->body ? ' ' : 'n';
	SPI_connect();
	plan_execute(&insert_answer, values, nulls, false, 0);
	SPI_finish();
}
