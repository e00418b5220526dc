/*
 * error.c
 *	  Raising problems of class QH and collecting violations.
 *
 * The codes here are the rows of qehs.problem that a C function can raise; the
 * SQLSTATE carries the status, so no lookup is needed to answer.  Errors of
 * class QH are the client's: a log hook keeps them out of the server's log
 * unless qehs.log_client_errors is on.  It also takes secrets out of whatever
 * goes there, say out of the parameters that log_min_duration_statement adds.
 */
#include "base/compat.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "common/redact.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

typedef struct ProblemInfo
{
	const char *code;
	int			status;
} ProblemInfo;

static const ProblemInfo problems[] = {
	[PROBLEM_MALFORMED_JSON] = {"malformed_json", 400},
	[PROBLEM_VALIDATION_FAILED] = {"validation_failed", 400},
	[PROBLEM_INVALID_PARAMETER] = {"invalid_parameter", 400},
	[PROBLEM_INVALID_CURSOR] = {"invalid_cursor", 400},
	[PROBLEM_INVALID_SYNTAX] = {"invalid_syntax", 400},
	[PROBLEM_INVALID_FILTER] = {"invalid_filter", 400},
	[PROBLEM_INVALID_PATH] = {"invalid_path", 400},
	[PROBLEM_NO_TARGET] = {"no_target", 400},
	[PROBLEM_MUTABILITY] = {"mutability", 400},
	[PROBLEM_UNAUTHENTICATED] = {"unauthenticated", 401},
	[PROBLEM_FORBIDDEN] = {"forbidden", 403},
	[PROBLEM_NOT_FOUND] = {"not_found", 404},
	[PROBLEM_CONFLICT] = {"conflict", 409},
	[PROBLEM_TRANSITION_NOT_ALLOWED] = {"transition_not_allowed", 409},
	[PROBLEM_GUARD_FAILED] = {"guard_failed", 409},
	[PROBLEM_KEY_IN_PROGRESS] = {"idempotency_key_in_progress", 409},
	[PROBLEM_VERSION_MISMATCH] = {"version_mismatch", 412},
	[PROBLEM_KEY_CONFLICT] = {"idempotency_key_conflict", 422},
	[PROBLEM_PRECONDITION_REQUIRED] = {"precondition_required", 428},
	[PROBLEM_RATE_LIMITED] = {"rate_limited", 429},
	[PROBLEM_PAYLOAD_TOO_LARGE] = {"payload_too_large", 413},
	[PROBLEM_INSUFFICIENT_STORAGE] = {"insufficient_storage", 507},
	[PROBLEM_UNAVAILABLE] = {"unavailable", 503},
};

static bool log_client_errors = false;
static emit_log_hook_type previous_emit_log_hook = NULL;

/* SQLSTATE 'QH' and three digits. */
static int
problem_sqlstate(int status)
{
	return MAKE_SQLSTATE('Q', 'H', '0' + status / 100, '0' + status / 10 % 10, '0' + status % 10);
}

static bool
is_client_error(int sqlstate)
{
	return PGUNSIXBIT(sqlstate) == 'Q' && PGUNSIXBIT(sqlstate >> 6) == 'H';
}

/* A copy without secrets, which may live in read-only memory; the same text when it has none. */
static char *
redacted(char *text)
{
	size_t		length = text ? strlen(text) : 0;

	if (!redact_needed(text, length))
		return text;
	text = pstrdup(text);
	text[redact_text(text, length)] = '\0';
	return text;
}

/* Runs in ErrorContext, which the end of the report empties. */
static void
drop_secrets(ErrorData *edata)
{
	edata->message = redacted(edata->message);
	edata->detail = redacted(edata->detail);
	edata->detail_log = redacted(edata->detail_log);
	edata->hint = redacted(edata->hint);
	edata->context = redacted(edata->context);
	edata->internalquery = redacted(edata->internalquery);
	if (debug_query_string && redact_needed(debug_query_string, strlen(debug_query_string)))
		edata->hide_stmt = true;
}

/* Keep the client's errors out of the server log, and answers from the store always: they are no errors. */
static void
drop_client_errors(ErrorData *edata)
{
	if (edata->elevel == ERROR && is_client_error(edata->sqlerrcode) &&
		(!log_client_errors || edata->sqlerrcode == problem_sqlstate(200)))
		edata->output_to_server = false;
	if (edata->output_to_server)
		drop_secrets(edata);
	if (previous_emit_log_hook)
		previous_emit_log_hook(edata);
}

void
error_init(void)
{
	DefineCustomBoolVariable("qehs.log_client_errors",
							 "Writes refused requests (SQLSTATE class QH) to the server log.",
							 NULL, &log_client_errors, false, PGC_SUSET, 0, NULL, NULL, NULL);
	previous_emit_log_hook = emit_log_hook;
	emit_log_hook = drop_client_errors;
}

/* Format into palloc'd text. */
static char *format_text(const char *format, va_list arguments) pg_attribute_printf(1, 0);

static char *
format_text(const char *format, va_list arguments)
{
	StringInfoData text;

	initStringInfo(&text);
	text_append_va(&text, format, arguments);
	return text.data;
}

static void
add(ViolationList *list, const char *path, const char *code, const char *message)
{
	list->items[list->count].path = path;
	list->items[list->count].code = code;
	list->items[list->count].message = message;
	list->count++;
}

/* Whether the path is, or lies below, one that the caller may not touch. */
static bool
is_forbidden(const ViolationList *list, const char *path)
{
	for (int i = 0; i < list->count; i++)
	{
		size_t		length = strlen(list->items[i].path);

		if (strcmp(list->items[i].code, QEHS_FORBIDDEN) == 0 && strncmp(path, list->items[i].path, length) == 0 &&
			(path[length] == '\0' || path[length] == '/'))
			return true;
	}
	return false;
}

void
violation_add(ViolationList *list, const char *path, const char *code, const char *format,...)
{
	va_list		arguments;

	if (list->count >= QEHS_MAX_VIOLATIONS || is_forbidden(list, path))
		return;
	va_start(arguments, format);
	add(list, path, code, format_text(format, arguments));
	va_end(arguments);
}

void
violation_add_first(ViolationList *list, const char *path, const char *code, const char *format,...)
{
	va_list		arguments;

	for (int i = 0; i < list->count; i++)
		if (strcmp(list->items[i].path, path) == 0)
			return;
	if (list->count >= QEHS_MAX_VIOLATIONS)
		return;
	va_start(arguments, format);
	add(list, path, code, format_text(format, arguments));
	va_end(arguments);
}

/* {"errors":[…]} of violations. */
static char *
violations_json(const Violation *items, int count)
{
	StringInfoData out;

	initStringInfo(&out);
	json_literal(&out, "{\"errors\":[");
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		json_literal(&out, "{\"path\":");
		json_string(&out, items[i].path);
		json_literal(&out, ",\"code\":");
		json_string(&out, items[i].code);
		json_literal(&out, ",\"message\":");
		json_string(&out, items[i].message);
		appendStringInfoChar(&out, '}');
	}
	json_literal(&out, "]}");
	return out.data;
}

char *
violation_json(const ViolationList *list)
{
	return violations_json(list->items, list->count);
}

/* The one ereport of class QH. */
pg_noreturn static void
raise(ProblemCode code, const char *message, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(problem_sqlstate(problems[code].status)),
			 errmsg_internal("%s", message),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, problems[code].code),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
	pg_unreachable();
}

void
violation_raise(const ViolationList *list)
{
	violation_raise_as(PROBLEM_VALIDATION_FAILED, list);
}

void
violation_raise_as(ProblemCode code, const ViolationList *list)
{
	const Violation *first = &list->items[0];

	if (list->count == 0)
		return;
	raise(code,
		  list->count == 1 && (code == PROBLEM_INVALID_PARAMETER || code == PROBLEM_GUARD_FAILED) ? psprintf("%s %s", first->path, first->message) :
		  list->count == 1 ? "the request has 1 violation" :
		  psprintf("the request has %d violations", list->count),
		  violations_json(list->items, list->count), NULL);
}

void
problem_raise(ProblemCode code, const char *hint, const char *format,...)
{
	va_list		arguments;
	char	   *message;

	va_start(arguments, format);
	message = format_text(format, arguments);
	va_end(arguments);
	raise(code, message, NULL, hint);
}

void
problem_raise_at(ProblemCode code, const char *path, const char *word, const char *format,...)
{
	va_list		arguments;
	Violation	violation;

	va_start(arguments, format);
	violation.message = format_text(format, arguments);
	va_end(arguments);
	violation.path = path;
	violation.code = word;
	raise(code, psprintf("%s %s", path, violation.message), violations_json(&violation, 1), NULL);
}

void
problem_raise_detail(ProblemCode code, const char *detail_json, const char *hint, const char *format,...)
{
	va_list		arguments;
	char	   *message;

	va_start(arguments, format);
	message = format_text(format, arguments);
	va_end(arguments);
	raise(code, message, detail_json, hint);
}
