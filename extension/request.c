/*
 * request.c
 *	  qehs.request_begin and qehs.request_end: the first and last statement of
 *	  each request of the shim, in one transaction with the call between them.
 */
#include "compat.h"

#include "auth.h"
#include "catalog/pg_type.h"
#include "error.h"
#include "fmgr.h"
#include "idempotency.h"
#include "json.h"
#include "plan.h"
#include "ratelimit.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "watch.h"

PG_FUNCTION_INFO_V1(qehs_request_begin);
PG_FUNCTION_INFO_V1(qehs_request_end);

typedef struct EndpointStatus
{
	char		operation[NAMEDATALEN];
	int			status;
	bool		authenticated;
} EndpointStatus;

static KeptPlan select_endpoints = {"SELECT operation, status, authenticated FROM qehs.endpoint", 0, {0}, NULL};
static HTAB *endpoints = NULL;
static uint64 endpoints_generation = 0;

/* Load operation → status; the table is small and fixed. */
static void
load_endpoints(void)
{
	HASHCTL		control = {.keysize = NAMEDATALEN, .entrysize = sizeof(EndpointStatus)};
	uint64		rows;
	bool		isnull;

	if (endpoints)
		hash_destroy(endpoints);
	endpoints = NULL;
	endpoints_generation = watch_generation(WATCH_ENDPOINT);
	SPI_connect();
	rows = plan_execute(&select_endpoints, NULL, NULL, true, 0);
	endpoints = hash_create("qehs endpoints", 64, &control, HASH_ELEM | HASH_STRINGS);
	for (uint64 i = 0; i < rows; i++)
	{
		EndpointStatus *entry = hash_search(endpoints, TextDatumGetCString(plan_value(i, 1, &isnull)), HASH_ENTER, NULL);

		entry->status = DatumGetInt32(plan_value(i, 2, &isnull));
		entry->authenticated = DatumGetBool(plan_value(i, 3, &isnull));
	}
	SPI_finish();
}

/* The row of an operation, or NULL. */
static const EndpointStatus *
find_endpoint(const char *operation)
{
	if (operation == NULL)
		return NULL;
	if (endpoints == NULL || endpoints_generation != watch_generation(WATCH_ENDPOINT))
		load_endpoints();
	return hash_search(endpoints, operation, HASH_FIND, NULL);
}

/* Take over what the key grants; the grant lives longer than the transaction. */
static void
fill_context(RequestContext *context, const KeyGrant *grant)
{
	context->over_http = true;
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
	context->administrator = context_has_role(context, "tenant-owner") || context_has_role(context, "tenant-admin");
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

/* Count the request; refuse it over the limit.  Gives the header lines. */
static void
apply_rate_limit(const KeyGrant *grant, StringInfo headers)
{
	RateVerdict verdict;

	if (grant->rate_limit == 0)
		return;
	ratelimit_count(&grant->key_id, grant->rate_limit, &verdict);
	if (!verdict.allowed)
		problem_raise_detail(PROBLEM_RATE_LIMITED,
							 psprintf("{\"headers\":{\"Retry-After\":\"%d\",\"X-RateLimit-Limit\":\"%d\","
									  "\"X-RateLimit-Remaining\":\"0\",\"X-RateLimit-Reset\":\"" INT64_FORMAT "\","
									  "\"RateLimit-Policy\":\"\\\"default\\\";q=%d;w=60\","
									  "\"RateLimit\":\"\\\"default\\\";r=0;t=%d\"}}",
									  verdict.wait, verdict.limit, verdict.reset, verdict.limit, verdict.wait),
							 "Wait as long as Retry-After says.",
							 "the API key may send %d requests a minute", verdict.limit);
	appendStringInfo(headers,
					 "X-RateLimit-Limit: %d\nX-RateLimit-Remaining: %d\nX-RateLimit-Reset: " INT64_FORMAT "\n"
					 "RateLimit-Policy: \"default\";q=%d;w=60\nRateLimit: \"default\";r=%d;t=%d\n",
					 verdict.limit, verdict.remaining, verdict.reset, verdict.limit, verdict.remaining, verdict.wait);
}

/* A trace id of 32 hexadecimal digits; anything else is not taken. */
static void
copy_trace_id(RequestContext *context, const char *trace_id)
{
	if (trace_id && strlen(trace_id) == 32 && strspn(trace_id, "0123456789abcdef") == 32)
		memcpy(context->trace_id, trace_id, 33);
}

/*
 * A request without a key: what needs none goes on with an empty context, and a
 * request to no endpoint has nothing to protect.
 */
static void
begin_without_key(FunctionCallInfo fcinfo)
{
	const EndpointStatus *endpoint;
	RequestContext *context;

	if (PG_ARGISNULL(5))
		return;
	context = context_start_request();
	context->over_http = true;
	context->operation = text_argument(fcinfo, 5, context->memory);
	context->target = text_argument(fcinfo, 6, context->memory);
	copy_trace_id(context, text_argument(fcinfo, 1, context->memory));
	endpoint = find_endpoint(context->operation);
	if (endpoint == NULL || endpoint->authenticated)
		problem_raise(PROBLEM_UNAUTHENTICATED, "Send the header Authorization: Bearer and an API key.",
					  "the request carries no API key");
}

/*
 * request_begin(api_key, trace_id, client_address, idempotency_key, fingerprint, operation, target)
 */
Datum
qehs_request_begin(PG_FUNCTION_ARGS)
{
	const KeyGrant *grant;
	RequestContext *context;
	StringInfoData headers;
	text	   *key;

	json_begin(&headers);
	if (PG_ARGISNULL(0))
	{
		begin_without_key(fcinfo);
		PG_RETURN_DATUM(json_datum(&headers));
	}
	key = PG_GETARG_TEXT_PP(0);
	grant = auth_verify_key(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
	apply_rate_limit(grant, &headers);
	context = context_start_request();
	fill_context(context, grant);
	copy_trace_id(context, text_argument(fcinfo, 1, context->memory));
	context->operation = text_argument(fcinfo, 5, context->memory);
	context->target = text_argument(fcinfo, 6, context->memory);
	context->idempotency_key = text_argument(fcinfo, 3, context->memory);
	if (context->idempotency_key)
	{
		if (!PG_ARGISNULL(4))
		{
			MemoryContext previous = MemoryContextSwitchTo(context->memory);

			context->fingerprint = PG_GETARG_BYTEA_P_COPY(4);
			MemoryContextSwitchTo(previous);
		}
		idempotency_claim(context);
	}
	PG_RETURN_DATUM(json_datum(&headers));
}

Datum
qehs_request_end(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	StringInfoData answer;
	const EndpointStatus *endpoint = find_endpoint(context->operation);
	int			status = context->status ? context->status : endpoint ? endpoint->status : 200;

	if (context->idempotency_key)
		idempotency_store(context, status);
	json_begin(&answer);
	json_int(&answer, status);
	appendStringInfoChar(&answer, '\n');
	if (context->headers.data)
		appendBinaryStringInfo(&answer, context->headers.data, context->headers.len);
	PG_RETURN_DATUM(json_datum(&answer));
}
