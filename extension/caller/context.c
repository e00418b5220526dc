/*
 * context.c
 *	  The request context and what the answer carries besides its body.
 *
 * That of work in the background wins over the request's, and that over the
 * session's.  Both are reset when the transaction ends, whichever way; nothing of
 * them survives.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "caller/auth.h"
#include "caller/context.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static RequestContext request_context;
static RequestContext session_context;
static RequestContext work_context;
static bool work_active = false;
static bool request_started = false;	/* request_context is being filled, or active */
static bool request_active = false;
static SubTransactionId request_subtransaction;	/* in which it became active */
static bool session_active = false;
static emit_log_hook_type previous_emit_log_hook = NULL;

static const struct
{
	Scope		scope;
	const char *name;
}			scope_names[] = {
	{SCOPE_RECORDS_READ, "records.read"},
	{SCOPE_RECORDS_WRITE, "records.write"},
	{SCOPE_MODULES_READ, "modules.read"},
	{SCOPE_MODULES_WRITE, "modules.write"},
	{SCOPE_ATTACHMENTS_READ, "attachments.read"},
	{SCOPE_ATTACHMENTS_WRITE, "attachments.write"},
	{SCOPE_EXPORTS_CREATE, "exports.create"},
	{SCOPE_AUDIT_READ, "audit.read"},
	{SCOPE_ADMIN_USERS, "admin.users"},
	{SCOPE_ADMIN_KEYS, "admin.keys"},
	{SCOPE_HOLDS_WRITE, "holds.write"},
	{SCOPE_RECORDS_PURGE, "records.purge"},
};

const char *
scope_name(Scope scope)
{
	for (int i = 0; i < (int) lengthof(scope_names); i++)
		if (scope_names[i].scope == scope)
			return scope_names[i].name;
	return "unknown";
}

uint32
scope_parse(const char *name)
{
	for (int i = 0; i < (int) lengthof(scope_names); i++)
		if (strcmp(scope_names[i].name, name) == 0)
			return scope_names[i].scope;
	return 0;
}

static void
on_transaction_end(XactEvent event, void *argument)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (request_started)
	{
		request_started = request_active = false;
		MemoryContextReset(request_context.memory);
	}
	context_end_work();
}

/* A request that began in a part of the transaction which is undone has no caller. */
static void
on_subtransaction_end(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && request_active && request_subtransaction >= id)
		request_active = false;
}

/* Whatever PostgreSQL logs during a request carries its trace id. */
static void
add_trace_id(ErrorData *edata)
{
	if (request_started && request_context.trace && edata->output_to_server)
		edata->context = edata->context ?
			psprintf("%s\nqehs trace %s", edata->context, request_context.trace) :
			psprintf("qehs trace %s", request_context.trace);
	if (previous_emit_log_hook)
		previous_emit_log_hook(edata);
}

void
context_init(void)
{
	RegisterXactCallback(on_transaction_end, NULL);
	RegisterSubXactCallback(on_subtransaction_end, NULL);
	previous_emit_log_hook = emit_log_hook;
	emit_log_hook = add_trace_id;
}

static RequestContext *
start(RequestContext *context, const char *name)
{
	MemoryContext memory = context->memory;

	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "qehs context", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(memory);
	MemoryContextSetIdentifier(memory, name);
	memset(context, 0, sizeof(*context));
	context->memory = memory;
	context->module_count = -1;
	return context;
}

RequestContext *
context_start_request(void)
{
	request_active = false;
	start(&request_context, "request");
	request_started = true;
	return &request_context;
}

void
context_activate_request(void)
{
	request_subtransaction = GetCurrentSubTransactionId();
	request_active = true;
}

RequestContext *
context_start_session(void)
{
	session_active = false;
	start(&session_context, "session");
	session_active = true;
	return &session_context;
}

RequestContext *
context_start_work(void)
{
	work_active = false;
	start(&work_context, "work");
	work_active = true;
	return &work_context;
}

void
context_end_work(void)
{
	if (!work_active)
		return;
	work_active = false;
	MemoryContextReset(work_context.memory);
}

RequestContext *
context_find(void)
{
	return work_active ? &work_context : request_active ? &request_context : session_active ? &session_context : NULL;
}

RequestContext *
context_require(void)
{
	RequestContext *context = context_find();

	if (context)
		return context;
	problem_raise(PROBLEM_UNAUTHENTICATED, "Call qehs.use_tenant first, or send an API key.",
				  "no tenant is selected");
}

RequestContext *
context_require_caller(void)
{
	RequestContext *context = context_require();

	if (context->tenant_id == 0)
		problem_raise(PROBLEM_UNAUTHENTICATED, "Send the header Authorization: Bearer and an API key.",
					  "the request carries no API key");
	return context;
}

RequestContext *
context_require_scope(Scope scope)
{
	RequestContext *context = context_require_caller();

	if (!(context->scopes & scope))
		problem_raise_detail(PROBLEM_FORBIDDEN,
							 /* RFC 6750 section 3.1 */
							 psprintf("{\"headers\":{\"WWW-Authenticate\":\"Bearer error=\\\"insufficient_scope\\\", scope=\\\"%s\\\"\"}}", scope_name(scope)),
							 "Use an API key that has the scope.", "the API key lacks the scope \"%s\"", scope_name(scope));
	return context;
}

bool
context_has_module(const RequestContext *context, const char *key)
{
	if (context->module_count < 0)
		return true;
	for (int i = 0; i < context->module_count; i++)
		if (strcmp(context->modules[i], key) == 0)
			return true;
	return false;
}

void
context_status(RequestContext *context, int status)
{
	context->status = status;
}

void
context_header(RequestContext *context, const char *name, const char *format,...)
{
	MemoryContext previous;
	va_list		arguments;

	if (!context->over_http)
		return;
	previous = MemoryContextSwitchTo(context->memory);
	if (context->headers.data == NULL)
		initStringInfo(&context->headers);
	MemoryContextSwitchTo(previous);
	appendStringInfoString(&context->headers, name);
	json_literal(&context->headers, ": ");
	va_start(arguments, format);
	text_append_va(&context->headers, format, arguments);
	va_end(arguments);
	appendStringInfoChar(&context->headers, '\n');
}

void
context_forbid_sharing(RequestContext *context)
{
	if (context->tenant_id == 0 || (context->headers.data && strstr(context->headers.data, "Cache-Control: ")))
		return;
	context_header(context, "Cache-Control", "private, no-cache");
	context_header(context, "Vary", "Authorization");
}

void
context_etag(RequestContext *context, int32 version)
{
	context_header(context, "ETag", "\"%d\"", version);
}

/* The target with its cursor parameter replaced, as a relative reference. */
static void
link_next(RequestContext *context, const char *cursor)
{
	StringInfoData target;
	const char *query;

	if (!context->over_http || context->target == NULL)
		return;
	initStringInfo(&target);
	query = strchr(context->target, '?');
	appendBinaryStringInfo(&target, context->target,
						   query ? query - context->target : (int) strlen(context->target));
	appendStringInfoChar(&target, '?');
	while (query && *query)
	{
		const char *begin = query + 1;
		const char *end = strchr(begin, '&');
		int			length = end ? end - begin : (int) strlen(begin);

		if (length > 0 && strncmp(begin, "cursor=", 7) != 0)
		{
			appendBinaryStringInfo(&target, begin, length);
			appendStringInfoChar(&target, '&');
		}
		query = end;
	}
	context_header(context, "Link", "<%scursor=%s>; rel=\"next\"", target.data, cursor);
	pfree(target.data);
}

/*
 * One entity tag at *at, which moves behind it: false when there is none (RFC 9110
 * section 8.8.3).  In a strong comparison weak ones match nothing (section 8.8.3.2).
 */
static bool
read_tag(const char **at, const char *wanted, bool strong, bool *matches)
{
	bool		weak = strncmp(*at, "W/", 2) == 0;
	const char *begin = *at + (weak ? 2 : 0);
	const char *end = begin + 1;

	if (*begin != '"')
		return false;
	while (*end && *end != '"' && (unsigned char) *end > 0x20 && *end != 0x7F)
		end++;
	if (*end != '"')
		return false;
	end++;
	*matches = !(weak && strong) && (int) strlen(wanted) == end - begin && strncmp(begin, wanted, end - begin) == 0;
	*at = end + strspn(end, " \t");
	return *(*at) == '\0' || **at == ',';
}

/* Does a field value of the form "*" or a list of entity tags name the tag?  QH400 when it has not the form. */
static bool
names_tag(const char *field, const char *header, const char *tag, bool strong)
{
	const char *at = field + strspn(field, " \t,");
	bool		found = false;
	bool		matches;

	if (*at == '*' && at[1 + strspn(at + 1, " \t")] == '\0')
		return true;
	do
	{
		if (!read_tag(&at, tag, strong, &matches))
			problem_raise_at(PROBLEM_INVALID_PARAMETER, psprintf("@%s", header), "format",
							 "must be * or entity tags in double quotes, such as %s", tag);
		found = found || matches;
		at += strspn(at, " \t,");
	} while (*at);
	return found;
}

void
context_check_if_match(const char *if_match, int32 version)
{
	RequestContext *context = context_find();
	char	   *tag = psprintf("\"%d\"", version);

	if (if_match == NULL)
		return;
	/* in SQL a bare number will do */
	if (*if_match && strspn(if_match, "0123456789") == strlen(if_match) && !(context && context->over_http))
		if_match = psprintf("\"%s\"", if_match);
	if (names_tag(if_match, "If-Match", tag, true))
		return;
	if (names_tag(if_match, "If-Match", tag, false))
		problem_raise_at(PROBLEM_VERSION_MISMATCH, "@If-Match", "version", "has a weak entity tag, which matches nothing there"
						 " (RFC 9110 section 13.1.1): send %s", tag);
	problem_raise_at(PROBLEM_VERSION_MISMATCH, "@If-Match", "version", "does not match the current version %s", tag);
}

void
context_check_if_match_weak(const char *if_match, int32 version)
{
	char	   *tag = psprintf("\"%d\"", version);

	if (if_match && !names_tag(if_match, "If-Match", tag, false))
		problem_raise_at(PROBLEM_VERSION_MISMATCH, "@If-Match", "version", "does not match the current version W/%s", tag);
}

void
context_check_if_none_match(const char *if_none_match, int32 version)
{
	char	   *tag = psprintf("\"%d\"", version);

	if (if_none_match && names_tag(if_none_match, "If-None-Match", tag, false))
		problem_raise_at(PROBLEM_VERSION_MISMATCH, "@If-None-Match", "version", "matches the current version %s", tag);
}

Datum
context_answer(StringInfo body)
{
	if (request_active && request_context.idempotency_key)
	{
		request_context.body_length = body->len - VARHDRSZ;
		request_context.body = MemoryContextAlloc(request_context.memory, request_context.body_length + 1);
		memcpy(request_context.body, body->data + VARHDRSZ, request_context.body_length);
		request_context.body[request_context.body_length] = '\0';
	}
	return json_datum(body);
}

Datum
context_answer_page(StringInfo body, RequestContext *context, const char *next)
{
	json_literal(body, "],\"nextCursor\":");
	json_string(body, next);
	appendStringInfoChar(body, '}');
	if (next)
		link_next(context, next);
	return context_answer(body);
}
