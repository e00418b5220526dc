/*
 * request.c
 *	  qehs.request: a request of the shim from its key to its answer, in one
 *	  statement.  qehs.request_begin and qehs.request_end are its first and last part,
 *	  with other statements between them: chunks of a body that streams.
 *	  qehs.request_part goes on with an answer that streams, request_resume with a request
 *	  whose body has come.
 */
#include "base/compat.h"

#include "base/deadline.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/search_path.h"
#include "bulk/bulk.h"
#include "caller/auth.h"
#include "caller/idempotency.h"
#include "caller/throttle.h"
#include "common/hex.h"
#include "catalog/pg_type.h"
#include "endpoints.h"
#include "fmgr.h"
#include "permission/permission.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The arguments of qehs.request_begin; qehs.request has the same, and behind them those of the endpoint. */
enum
{
	REQUEST_API_KEY, REQUEST_TRACE_ID, REQUEST_ADDRESS, REQUEST_IDEMPOTENCY_KEY, REQUEST_FINGERPRINT, REQUEST_OPERATION, REQUEST_TARGET,
	REQUEST_SUBJECT, REQUEST_ARGUMENTS
};

PG_FUNCTION_INFO_V1(qehs_request);
PG_FUNCTION_INFO_V1(qehs_request_part);
PG_FUNCTION_INFO_V1(qehs_request_begin);
PG_FUNCTION_INFO_V1(qehs_request_resume);
PG_FUNCTION_INFO_V1(qehs_request_end);

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
	const EndpointRow *endpoint;

	context->over_http = true;
	take_trace(context, text_argument(fcinfo, REQUEST_TRACE_ID, context->memory));
	context->address = text_argument(fcinfo, REQUEST_ADDRESS, context->memory);
	context->operation = text_argument(fcinfo, REQUEST_OPERATION, context->memory);
	context->target = text_argument(fcinfo, REQUEST_TARGET, context->memory);
	endpoint = endpoint_find(context->operation);
	if (endpoint)
	{
		context->time_limit = endpoint->time_limit;
		deadline_start(context->time_limit);
	}
	return context;
}

/*
 * A request without a key: what needs none goes on with an empty context, and a
 * request to no endpoint has nothing to protect.
 */
static void
begin_without_key(const RequestContext *context, const char *address, StringInfo headers)
{
	const EndpointRow *endpoint = endpoint_find(context->operation);

	if (endpoint && endpoint->signed_url)
		return;
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

	if (!PG_ARGISNULL(REQUEST_SUBJECT))
		grant = auth_find_subject(PG_GETARG_JSONB_P(REQUEST_SUBJECT));
	else
	{
		key = PG_GETARG_TEXT_PP(REQUEST_API_KEY);
		grant = auth_find_key(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
	}
	if (grant)
		return grant;
	throttle_address(address, true, headers);
	problem_raise_detail(PROBLEM_UNAUTHENTICATED, throttle_headers_json(headers->data), NULL,
						 PG_ARGISNULL(REQUEST_SUBJECT) ? "the API key is malformed, unknown, revoked or expired" :
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
 * What is raised carries the header lines in its field for a data type's name, which
 * no log shows: the request was counted, and every answer says so.
 */
pg_noreturn static void
raise_with_limits(MemoryContext memory, const char *headers)
{
	ErrorData  *error;

	MemoryContextSwitchTo(memory);
	error = CopyErrorData();
	FlushErrorState();
	error->datatype_name = pstrdup(headers);
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
	const EndpointRow *endpoint = endpoint_find(context->operation);

	auth_check_address(grant, address);
	if (grant->kind == KEY_SCIM && endpoint && endpoint->authenticated && !endpoint->scim)
		problem_raise(PROBLEM_FORBIDDEN, "Use a key of another kind.", "a SCIM key opens the SCIM endpoints only");
	auth_note_use(grant);
	context->idempotency_key = text_argument(fcinfo, REQUEST_IDEMPOTENCY_KEY, context->memory);
	if (context->idempotency_key == NULL)
		return;
	check_idempotency_key(context->idempotency_key);
	if (!PG_ARGISNULL(REQUEST_FINGERPRINT))
	{
		MemoryContext previous = MemoryContextSwitchTo(context->memory);

		context->fingerprint = PG_GETARG_BYTEA_P_COPY(REQUEST_FINGERPRINT);
		MemoryContextSwitchTo(previous);
	}
	context->credential = text_argument(fcinfo, REQUEST_API_KEY, context->memory);
	idempotency_claim(context);
}

/* Everything up to the limit's headers, which are given; a part of a request is not counted again. */
static KeyGrant *
count_request(FunctionCallInfo fcinfo, RequestContext *context, bool part, StringInfo headers)
{
	const EndpointRow *endpoint;
	KeyGrant   *grant;

	if (PG_ARGISNULL(REQUEST_API_KEY) && PG_ARGISNULL(REQUEST_SUBJECT))
	{
		begin_without_key(context, context->address, headers);
		return NULL;
	}
	grant = verify_caller(fcinfo, context->address, headers);
	fill_context(context, grant);
	if (!PG_ARGISNULL(REQUEST_SUBJECT))
		context->scopes = permission_token_scopes(context);
	endpoint = endpoint_find(context->operation);
	/* all chunks of a bulk load are one request */
	if (!part && (endpoint == NULL || !endpoint->bulk || !bulk_is_running()))
		throttle_key(grant, endpoint ? endpoint->class : RATE_DEFAULT, headers);
	note_caller(context, headers);
	return grant;
}

/* And what comes after them.  The context is active from then on: a request that is refused, in a savepoint too, has no rights. */
static void
admit_request(FunctionCallInfo fcinfo, KeyGrant *grant, RequestContext *context)
{
	if (grant)
		check_request(fcinfo, grant, context, context->address);
	context_activate_request();
}

static Datum
begin_request(FunctionCallInfo fcinfo, bool part)
{
	MemoryContext memory = CurrentMemoryContext;
	RequestContext *context = start_context(fcinfo);
	KeyGrant   *grant;
	StringInfoData headers;

	initStringInfo(&headers);
	grant = count_request(fcinfo, context, part, &headers);
	PG_TRY();
	{
		admit_request(fcinfo, grant, context);
	}
	PG_CATCH();
	{
		raise_with_limits(memory, headers.data);
	}
	PG_END_TRY();
	return PointerGetDatum(cstring_to_text_with_len(headers.data, headers.len));
}

/*
 * request_begin(api_key, trace_id, client_address, idempotency_key, fingerprint, operation, target, subject)
 */
Datum
qehs_request_begin(PG_FUNCTION_ARGS)
{
	return begin_request(fcinfo, false);
}

/* request_resume(the same) */
Datum
qehs_request_resume(PG_FUNCTION_ARGS)
{
	return begin_request(fcinfo, true);
}

/* The status of success; the answer is kept for a replay. */
static int
end_request(RequestContext *context)
{
	const EndpointRow *endpoint = endpoint_find(context->operation);
	int			status = context->status ? context->status : endpoint ? endpoint->status : 200;

	context_forbid_sharing(context);
	if (context->idempotency_key)
		idempotency_store(context, status);
	return status;
}

/* The status on the first line, then header lines. */
static void
write_head(StringInfo out, const RequestContext *context, int status)
{
	json_int(out, status);
	appendStringInfoChar(out, '\n');
	if (context->headers.data)
		appendBinaryStringInfo(out, context->headers.data, context->headers.len);
}

Datum
qehs_request_end(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	StringInfoData answer;
	int			status = end_request(context);

	json_begin(&answer);
	write_head(&answer, context, status);
	PG_RETURN_DATUM(json_datum(&answer));
}

/* Call the endpoint's function and write the answer. */
static void
answer_request(FunctionCallInfo fcinfo, RequestContext *context, const StringInfoData *limits, StringInfo out)
{
	EndpointRow *endpoint = endpoint_find(context->operation);
	Oid			types[FUNC_MAX_ARGS];
	bool		isnull;
	Datum		body;

	if (endpoint == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("operation \"%s\" does not exist", context->operation ? context->operation : "")));
	for (int i = REQUEST_ARGUMENTS; i < PG_NARGS(); i++)
		types[i - REQUEST_ARGUMENTS] = get_fn_expr_argtype(fcinfo->flinfo, i);
	body = endpoint_call(endpoint, PG_NARGS() - REQUEST_ARGUMENTS, fcinfo->args + REQUEST_ARGUMENTS, types, &isnull);
	write_head(out, context, end_request(context));
	appendBinaryStringInfo(out, limits->data, limits->len);
	appendStringInfoChar(out, '\n');
	if (!isnull)
	{
		text	   *value = DatumGetTextPP(body);

		appendBinaryStringInfo(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	}
}

static Datum
run_request(FunctionCallInfo fcinfo, bool part)
{
	MemoryContext memory = CurrentMemoryContext;
	int			path = search_path_pin();
	RequestContext *context;
	KeyGrant   *grant;
	StringInfoData limits;
	StringInfoData answer;

	if (get_fn_expr_variadic(fcinfo->flinfo) || get_fn_expr_argtype(fcinfo->flinfo, REQUEST_SUBJECT) != JSONBOID)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the subject of a request must be of type jsonb")));
	context = start_context(fcinfo);
	initStringInfo(&limits);
	grant = count_request(fcinfo, context, part, &limits);
	json_begin(&answer);
	PG_TRY();
	{
		admit_request(fcinfo, grant, context);
		answer_request(fcinfo, context, &limits, &answer);
	}
	PG_CATCH();
	{
		raise_with_limits(memory, limits.data);
	}
	PG_END_TRY();
	search_path_leave(path);
	return json_datum(&answer);
}

/*
 * request(api_key, trace_id, client_address, idempotency_key, fingerprint, operation, target, VARIADIC subject and
 * the values of the endpoint's parameters)
 */
Datum
qehs_request(PG_FUNCTION_ARGS)
{
	return run_request(fcinfo, false);
}

/* request_part(the same) */
Datum
qehs_request_part(PG_FUNCTION_ARGS)
{
	return run_request(fcinfo, true);
}
