/*
 * storage_put.c
 *	  qehs.storage_put_begin and storage_put: a file is sent to the embedded store.
 *	  qehs.attachment_settle: what became of one in either store.
 *
 * The URL is the right to do it: there is no caller.  begin looks at the URL and at
 * the header fields that it binds, before the body comes; storage_put is told by the
 * shim what has come.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "attachment/quota.h"
#include "attachment/signed_url.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The arguments of qehs.storage_put_begin. */
enum
{
	BEGIN_TENANT, BEGIN_ID, BEGIN_CONTENT_TYPE, BEGIN_EXPIRES, BEGIN_SHA256, BEGIN_SIZE, BEGIN_SIGNATURE, BEGIN_BODY_TYPE,
	BEGIN_BODY_LENGTH
};

PG_FUNCTION_INFO_V1(qehs_storage_put_begin);
PG_FUNCTION_INFO_V1(qehs_storage_put);
PG_FUNCTION_INFO_V1(qehs_attachment_settle);

/* The columns of select_announced. */
enum
{
	COLUMN_TENANT_ID = 1, COLUMN_ID, COLUMN_CONTENT_TYPE, COLUMN_ANNOUNCED_SIZE, COLUMN_ANNOUNCED_SHA256, COLUMN_STATUS,
	COLUMN_SIZE_BYTES, COLUMN_SHA256
};

static KeptPlan select_announced = {
	"SELECT a.tenant_id, a.id, a.content_type, a.announced_size, pg_catalog.encode(a.announced_sha256, 'hex'), a.status, a.size_bytes,"
	" pg_catalog.encode(a.sha256, 'hex') FROM qehs.tenant AS t JOIN qehs.attachment AS a ON a.tenant_id = t.id"
	" WHERE t.slug = $1 AND a.id = $2 AND t.suspended_at IS NULL AND a.deleted_at IS NULL FOR NO KEY UPDATE OF a",
	2, {TEXTOID, UUIDOID}, NULL
};
static KeptPlan settle_one = {
	"UPDATE qehs.attachment SET status = $3, status_reason = $4, size_bytes = $5, sha256 = pg_catalog.decode($6, 'hex'), sniffed_type = $7,"
	" uploaded_at = COALESCE(uploaded_at, $8), wanted_at = NULL WHERE tenant_id = $1 AND id = $2",
	8, {INT4OID, UUIDOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan not_wanted = {"UPDATE qehs.attachment SET wanted_at = NULL WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL};
static KeptPlan remove_object = {
	"INSERT INTO qehs.object_removal (tenant, object) VALUES ($1, $2) ON CONFLICT DO NOTHING", 2, {TEXTOID, TEXTOID}, NULL
};

/* An announced attachment, whose row is locked. */
typedef struct Announced
{
	int32		tenant_id;
	pg_uuid_t	id;
	const char *content_type;
	int64		size;			/* -1: not said */
	const char *sha256;			/* or NULL */
	const char *status;
	int64		stored_size;
	const char *stored_sha256;	/* or NULL */
} Announced;

/* What is stored. */
typedef struct Stored
{
	int64		size;
	const char *sha256;			/* NULL: the store does not say */
	const char *type;			/* as libmagic sees it; NULL: nobody has looked */
	const char *scan;			/* "clean", "infected: <name>", "failed: <reason>"; NULL: nobody has scanned */
} Stored;

/* Finds the attachment whose file is to be stored; returns false if there is none.  Inside SPI. */
static bool
find_announced(const char *tenant, const char *wire, Announced *announced)
{
	pg_uuid_t	id;
	Datum		values[2] = {tenant ? CStringGetTextDatum(tenant) : (Datum) 0, UUIDPGetDatum(&id)};
	bool		isnull;
	Datum		size;

	if (tenant == NULL || wire == NULL || !id_parse(wire, strlen(wire), QEHS_ID_ATTACHMENT, &id) ||
		plan_execute(&select_announced, values, NULL, false, 1) == 0)
		return false;
	announced->tenant_id = DatumGetInt32(plan_value(0, COLUMN_TENANT_ID, &isnull));
	announced->id = *DatumGetUUIDP(plan_value(0, COLUMN_ID, &isnull));
	announced->content_type = plan_text(0, COLUMN_CONTENT_TYPE);
	size = plan_value(0, COLUMN_ANNOUNCED_SIZE, &isnull);
	announced->size = isnull ? -1 : DatumGetInt64(size);
	announced->sha256 = plan_text(0, COLUMN_ANNOUNCED_SHA256);
	announced->status = plan_text(0, COLUMN_STATUS);
	size = plan_value(0, COLUMN_SIZE_BYTES, &isnull);
	announced->stored_size = isnull ? -1 : DatumGetInt64(size);
	announced->stored_sha256 = plan_text(0, COLUMN_SHA256);
	return true;
}

/* ---- before the body ---- */

static void
require_header(bool fits, const char *path, const char *message)
{
	if (!fits)
		problem_raise_at(PROBLEM_FORBIDDEN, path, "signature", "%s", message);
}

/* storage_put_begin(tenant, id, content_type, expires, sha256, size, signature, body_type, body_length) */
Datum
qehs_storage_put_begin(PG_FUNCTION_ARGS)
{
	const char *size = argument_text(fcinfo, BEGIN_SIZE);
	const char *body_type = argument_text(fcinfo, BEGIN_BODY_TYPE);
	const char *body_length = argument_text(fcinfo, BEGIN_BODY_LENGTH);
	SignedUrl	what = {
		.method = "PUT",
		.tenant = argument_text(fcinfo, BEGIN_TENANT),
		.id = argument_text(fcinfo, BEGIN_ID),
		.content_type = argument_text(fcinfo, BEGIN_CONTENT_TYPE),
		.sha256 = argument_text(fcinfo, BEGIN_SHA256),
		.size = size ? strtoll(size, NULL, 10) : -1,
	};
	Announced	announced;
	StringInfoData out;

	context_require();
	if (PG_ARGISNULL(BEGIN_EXPIRES) || PG_ARGISNULL(BEGIN_SIGNATURE))
		problem_raise(PROBLEM_FORBIDDEN, "Ask for a URL with POST /api/v1/attachments.", "the URL is not signed");
	signed_url_check(&what, argument_text(fcinfo, BEGIN_EXPIRES), argument_text(fcinfo, BEGIN_SIGNATURE));
	require_header(what.content_type == NULL || (body_type && pg_strcasecmp(what.content_type, body_type) == 0), "@Content-Type",
				   "must be what the URL was signed for");
	require_header(what.size < 0 || body_length == NULL || strtoll(body_length, NULL, 10) == what.size, "@Content-Length",
				   "must be what the URL was signed for");
	json_begin(&out);
	SPI_connect();
	if (!find_announced(what.tenant, what.id, &announced))
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the attachment is not there any more");
	appendStringInfo(&out, "{\"%s\":%lld", announced.size >= 0 ? "size" : "most",
					 (long long) (announced.size >= 0 ? announced.size : quota_left(announced.tenant_id, &announced.id)));
	if (announced.sha256)
		appendStringInfo(&out, ",\"sha256\":\"%s\"", announced.sha256);
	SPI_finish();
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/* ---- behind it ---- */

/* What is wrong with what is stored; NULL: nothing. */
static const char *
fault_of(const Announced *announced, const Stored *stored)
{
	if (announced->size >= 0 && announced->size != stored->size)
		return psprintf("has %lld bytes, and %lld were announced", (long long) stored->size, (long long) announced->size);
	if (announced->sha256 && stored->sha256 && strcmp(announced->sha256, stored->sha256) != 0)
		return "has another SHA-256 than was announced";
	if (stored->type && !media_is_plausible(announced->content_type, stored->type))
		return psprintf("looks like %s, and %s was announced", stored->type, announced->content_type);
	if (stored->scan && strncmp(stored->scan, "failed: ", 8) == 0)
		return stored->scan + 8;
	return NULL;
}

static Datum
optional_text(const char *text, char *null)
{
	*null = text ? ' ' : 'n';
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* Set the status; gives what is wrong with the file, or NULL.  Inside SPI. */
static const char *
settle(const char *tenant, const char *id, const Announced *announced, const Stored *stored)
{
	const char *fault = fault_of(announced, stored);
	bool		infected = stored->scan && strncmp(stored->scan, "infected", 8) == 0;
	const char *status = fault ? "failed" : infected ? "infected" : stored->scan ? "clean" : "uploaded";
	char		nulls[] = "        ";
	Datum		values[8] = {
		Int32GetDatum(announced->tenant_id), UUIDPGetDatum(&announced->id), CStringGetTextDatum(status),
		optional_text(fault ? fault : infected ? stored->scan : NULL, &nulls[3]), Int64GetDatum(stored->size),
		optional_text(stored->sha256, &nulls[5]), optional_text(stored->type, &nulls[6]),
		TimestampTzGetDatum(clock_transaction())
	};
	Datum		object[2] = {CStringGetTextDatum(tenant), CStringGetTextDatum(id)};

	plan_execute(&settle_one, values, nulls, false, 0);
	if (fault || infected)
		plan_execute(&remove_object, object, NULL, false, 0);
	return fault ? fault : infected ? stored->scan : NULL;
}

static Stored
stored_arguments(FunctionCallInfo fcinfo, int first)
{
	return (Stored) {PG_ARGISNULL(first) ? 0 : PG_GETARG_INT64(first), argument_text(fcinfo, first + 1),
		argument_text(fcinfo, first + 2), argument_text(fcinfo, first + 3)};
}

/* The arguments of qehs.storage_put and of qehs.attachment_settle. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_ID, ARGUMENT_STORED_SIZE, ARGUMENT_STORED_SHA256, ARGUMENT_STORED_TYPE, ARGUMENT_STORED_SCAN
};

/* storage_put(tenant, id, stored_size, stored_sha256, stored_type, stored_scan) */
Datum
qehs_storage_put(PG_FUNCTION_ARGS)
{
	char	   *tenant = argument_text(fcinfo, ARGUMENT_TENANT);
	char	   *id = argument_text(fcinfo, ARGUMENT_ID);
	Stored		stored = stored_arguments(fcinfo, ARGUMENT_STORED_SIZE);
	Announced	announced;

	context_require();
	SPI_connect();
	if (!find_announced(tenant, id, &announced))
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the attachment is not there any more");
	/* the same again changes nothing: other bytes the store has refused */
	if (strcmp(announced.status, "pending") == 0)
		settle(tenant, id, &announced, &stored);
	SPI_finish();
	PG_RETURN_NULL();
}

/* Its file is not there: whoever asks again has it looked at again. */
static void
forget_wanted(const Announced *announced)
{
	Datum		values[2] = {Int32GetDatum(announced->tenant_id), UUIDPGetDatum(&announced->id)};

	plan_execute(&not_wanted, values, NULL, false, 0);
}

/* attachment_settle(tenant, id, stored_size, stored_sha256, stored_type, stored_scan) */
Datum
qehs_attachment_settle(PG_FUNCTION_ARGS)
{
	char	   *tenant = argument_text(fcinfo, ARGUMENT_TENANT);
	char	   *id = argument_text(fcinfo, ARGUMENT_ID);
	Stored		stored = stored_arguments(fcinfo, ARGUMENT_STORED_SIZE);
	Announced	announced;

	SPI_connect();
	if (!find_announced(tenant, id, &announced))
		;
	else if (PG_ARGISNULL(ARGUMENT_STORED_SIZE))
		forget_wanted(&announced);
	else if (strcmp(announced.status, "pending") == 0 || (strcmp(announced.status, "uploaded") == 0 && stored.scan))
		settle(tenant, id, &announced, &stored);
	SPI_finish();
	PG_RETURN_VOID();
}
