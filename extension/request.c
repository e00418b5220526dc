/*
 * request.c
 *	  qehs.request_begin and qehs.request_end: the first and last statement of
 *	  each request of the shim, in one transaction with the call between them.
 */
#include "base/compat.h"

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/watch.h"
#include "bulk/bulk.h"
#include "caller/auth.h"
#include "caller/idempotency.h"
#include "caller/throttle.h"
#include "common/hex.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "permission/permission.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_request_begin);
PG_FUNCTION_INFO_V1(qehs_request_end);

typedef struct EndpointRow
{
	char		operation[NAMEDATALEN];
	int			status;
	bool		authenticated;
	bool		bulk;
	bool		scim;
	RateClass	class;
} EndpointRow;

static KeptPlan select_endpoints = {
	"SELECT operation, status, authenticated, class, error_form = 'scim' FROM qehs.endpoint", 0, {0}, NULL};
static HTAB *endpoints = NULL;
static uint64 endpoints_generation = 0;

/* Load operation → status; the table is small and fixed. */
static void
load_endpoints(void)
{
	HASHCTL		control = {.keysize = NAMEDATALEN, .entrysize = sizeof(EndpointRow)};
	uint64		rows;
	bool		isnull;

	if (endpoints)
		hash_destroy(endpoints);
	endpoints = NULL;
	endpoints_generation = watch_generation(WATCH_ENDPOINT, 0);
	SPI_connect();
	rows = plan_execute_latest(&select_endpoints, NULL, NULL, 0);
	endpoints = hash_create("qehs endpoints", 64, &control, HASH_ELEM | HASH_STRINGS);
	for (uint64 i = 0; i < rows; i++)
	{
		EndpointRow *entry = hash_search(endpoints, TextDatumGetCString(plan_value(i, 1, &isnull)), HASH_ENTER, NULL);
		const char *class;

		entry->status = DatumGetInt32(plan_value(i, 2, &isnull));
		entry->authenticated = DatumGetBool(plan_value(i, 3, &isnull));
		class = TextDatumGetCString(plan_value(i, 4, &isnull));
		entry->class = strcmp(class, "signed-urls") == 0 ? RATE_SIGNED_URLS : RATE_DEFAULT;
		entry->bulk = strcmp(class, "bulk") == 0;
		entry->scim = DatumGetBool(plan_value(i, 5, &isnull));
	}
	SPI_finish();
}

/* The row of an operation, or NULL. */
static const EndpointRow *
find_endpoint(const char *operation)
{
	if (operation == NULL)
		return NULL;
	if (endpoints == NULL || endpoints_generation != watch_generation(WATCH_ENDPOINT, 0))
		load_endpoints();
	return hash_search(endpoints, operation, HASH_FIND, NULL);
}

/* Take over what the key grants; the grant lives as long, until the transaction ends. */
static void
fill_context(RequestContext *context, const KeyGrant *grant)
{
	context->tenant_id = grant->tenant_id;
	context->tenant_slug = grant->tenant_slug;
	context->actor_type = grant->actor_type;
	context->actor_id = grant->actor_id;
	context->actor_name = grant->actor_name;
	context->scopes = grant->scopes;
	context->role_count = grant->role_count;
	context->roles = grant->roles;
	context->module_count = grant->module_count;
	context->modules = grant->modules;
	context->key_id = grant->key_id;
	context->grant = grant;
}

/* Text argument copied into the context's memory, or NULL. */
static char *
text_argument(FunctionCallInfo fcinfo, int number, MemoryContext memory)
{
	text	   *value;
	char	   *copy;
	int			length;

	if (PG_ARGISNULL(number))
		return NULL;
	value = PG_GETARG_TEXT_PP(number);
	length = VARSIZE_ANY_EXHDR(value);
	copy = MemoryContextAlloc(memory, length + 1);
	memcpy(copy, VARDATA_ANY(value), length);
	copy[length] = '\0';
	return copy;
}

#define TRACE_ID_DIGITS 32
#define TRACEPARENT_LENGTH 55	/* 00-<32 digits>-<16 digits>-<2 digits> */

/*
 * A trace id of 32 digits, or a traceparent, with its tracestate behind a space (W3C
 * Trace Context section 3); anything else is not taken.
 */
static void
take_trace(RequestContext *context, char *trace)
{
	const char *id = trace;

	if (trace == NULL)
		return;
	if (strlen(trace) >= TRACEPARENT_LENGTH && hex_is_lower(trace, 2) && trace[2] == '-' && trace[35] == '-' &&
		hex_is_lower(trace + 36, 16) && trace[52] == '-' && hex_is_lower(trace + 53, 2) &&
		(trace[TRACEPARENT_LENGTH] == '\0' || trace[TRACEPARENT_LENGTH] == ' '))
		id = trace + 3;
	else if (strlen(trace) != TRACE_ID_DIGITS)
		return;
	if (!hex_is_lower(id, TRACE_ID_DIGITS))
		return;
	memcpy(context->trace_id, id, TRACE_ID_DIGITS);
	context->trace_id[TRACE_ID_DIGITS] = '\0';
	context->trace = trace;
}

/* What every request has, with a key or without. */
static RequestContext *
start_context(FunctionCallInfo fcinfo)
{
	RequestContext *context = context_start_request();

	context->over_http = true;
	take_trace(context, text_argument(fcinfo, 1, context->memory));
	context->address = text_argument(fcinfo, 2, context->memory);
	context->operation = text_argument(fcinfo, 5, context->memory);
	context->target = text_argument(fcinfo, 6, context->memory);
	return context;
}

/*
 * A request without a key: what needs none goes on with an empty context, and a
 * request to no endpoint has nothing to protect.
 */
static void
begin_without_key(const RequestContext *context, const char *address, StringInfo headers)
{
	const EndpointRow *endpoint = find_endpoint(context->operation);

	throttle_address(address, false, headers);
	if (context->operation && (endpoint == NULL || endpoint->authenticated))
		problem_raise_detail(PROBLEM_UNAUTHENTICATED, throttle_headers_json(headers->data),
							 "Send the header Authorization: Bearer and an API key.",
							 "the request carries no API key");
}

/* Whom the API key or the verified token stands for. */
static KeyGrant *
verify_caller(FunctionCallInfo fcinfo, const char *address, StringInfo headers)
{
	text	   *key;
	KeyGrant   *grant;

	if (!PG_ARGISNULL(7))
		grant = auth_find_subject(PG_GETARG_JSONB_P(7));
	else
	{
		key = PG_GETARG_TEXT_PP(0);
		grant = auth_find_key(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
	}
	if (grant)
		return grant;
	throttle_address(address, true, headers);
	problem_raise_detail(PROBLEM_UNAUTHENTICATED, throttle_headers_json(headers->data), NULL,
						 PG_ARGISNULL(7) ? "the API key is malformed, unknown, revoked or expired" :
						 "the token names no active user, or tokens are not taken");
}

/* Who calls, for the log of the shim: lines that begin with @ are not sent to the client. */
static void
note_caller(const RequestContext *context, StringInfo headers)
{
	char		id[QEHS_ID_LENGTH + 1];

	id_format(&context->key_id, memcmp(&context->key_id, &context->actor_id, sizeof(pg_uuid_t)) == 0 &&
			  context->actor_type == ACTOR_USER ? QEHS_ID_USER : QEHS_ID_KEY, id);
	appendStringInfo(headers, "@tenant: %s\n@key: %s\n", context->tenant_slug, id);
}

/*
 * An error of class QH carries the header lines too, as member "limits" of its
 * DETAIL: the request was counted, and every answer says so.
 */
pg_noreturn static void
raise_with_limits(ErrorData *error, const char *headers)
{
	StringInfoData detail;

	if (error->sqlerrcode != 0 && strncmp(unpack_sql_state(error->sqlerrcode), "QH", 2) == 0)
	{
		initStringInfo(&detail);
		json_literal(&detail, "{\"limits\":");
		json_string(&detail, headers);
		if (error->detail && error->detail[0] == '{' && error->detail[1] != '}')
			appendStringInfo(&detail, ",%s", error->detail + 1);
		else
			appendStringInfoChar(&detail, '}');
		error->detail = detail.data;
	}
	ReThrowError(error);
	pg_unreachable();
}

static void
check_idempotency_key(const char *key)
{
	bool		valid = *key != '\0' && strlen(key) <= 255;

	for (const char *c = key; *c; c++)
		valid = valid && *c >= 0x20 && *c < 0x7F;
	if (!valid)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "@Idempotency-Key", "format", "must be 1 to 255 printable ASCII characters");
}

/* What may refuse a request of a known caller within its limit, or answer it from the store. */
static void
check_request(FunctionCallInfo fcinfo, KeyGrant *grant, RequestContext *context, const char *address)
{
	const EndpointRow *endpoint = find_endpoint(context->operation);

	auth_check_address(grant, address);
	if (grant->kind == KEY_SCIM && endpoint && endpoint->authenticated && !endpoint->scim)
		problem_raise(PROBLEM_FORBIDDEN, "Use a key of another kind.", "a SCIM key opens the SCIM endpoints only");
	auth_note_use(grant);
	context->idempotency_key = text_argument(fcinfo, 3, context->memory);
	if (context->idempotency_key == NULL)
		return;
	check_idempotency_key(context->idempotency_key);
	if (!PG_ARGISNULL(4))
	{
		MemoryContext previous = MemoryContextSwitchTo(context->memory);

		context->fingerprint = PG_GETARG_BYTEA_P_COPY(4);
		MemoryContextSwitchTo(previous);
	}
	context->credential = text_argument(fcinfo, 0, context->memory);
	idempotency_claim(context);
}

/* The same, with the limit's headers on what is raised. */
static void
check_limited(FunctionCallInfo fcinfo, KeyGrant *grant, RequestContext *context, const char *address, const char *headers)
{
	MemoryContext memory = CurrentMemoryContext;

	PG_TRY();
	{
		check_request(fcinfo, grant, context, address);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
		raise_with_limits(error, headers);
	}
	PG_END_TRY();
}

/*
 * request_begin(api_key, trace_id, client_address, idempotency_key, fingerprint, operation, target, subject)
 */
Datum
qehs_request_begin(PG_FUNCTION_ARGS)
{
	RequestContext *context = start_context(fcinfo);
	const char *address = context->address;
	KeyGrant   *grant;
	const EndpointRow *endpoint;
	StringInfoData headers;

	initStringInfo(&headers);
	if (PG_ARGISNULL(0) && PG_ARGISNULL(7))
	{
		begin_without_key(context, address, &headers);
		context_activate_request();
		PG_RETURN_TEXT_P(cstring_to_text_with_len(headers.data, headers.len));
	}
	grant = verify_caller(fcinfo, address, &headers);
	fill_context(context, grant);
	if (!PG_ARGISNULL(7))
		context->scopes = permission_token_scopes(context);
	endpoint = find_endpoint(context->operation);
	/* all chunks of a bulk load are one request */
	if (endpoint == NULL || !endpoint->bulk || !bulk_is_running())
		throttle_key(grant, endpoint ? endpoint->class : RATE_DEFAULT, &headers);
	note_caller(context, &headers);
	check_limited(fcinfo, grant, context, address, headers.data);
	/* last: a request that is refused, in a savepoint too, has no rights */
	context_activate_request();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(headers.data, headers.len));
}

Datum
qehs_request_end(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	StringInfoData answer;
	const EndpointRow *endpoint = find_endpoint(context->operation);
	int			status = context->status ? context->status : endpoint ? endpoint->status : 200;

	context_forbid_sharing(context);
	if (context->idempotency_key)
		idempotency_store(context, status);
	json_begin(&answer);
	json_int(&answer, status);
	appendStringInfoChar(&answer, '\n');
	if (context->headers.data)
		appendBinaryStringInfo(&answer, context->headers.data, context->headers.len);
	PG_RETURN_DATUM(json_datum(&answer));
}
