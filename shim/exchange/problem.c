/*
 * problem.c
 *	  Error bodies in their forms, and what the errors of PostgreSQL mean to a client.
 *
 * SQLSTATEs of class QH are problems that the extension raised on purpose: the
 * last three digits are the status, CONSTRAINT is the code, the primary message
 * the detail, and DETAIL a JSON object {"errors": […], "headers": {…}}.  All
 * others are mapped by the table below; what is not in it is internal, and
 * neither SQL nor PostgreSQL's message leaves the shim.
 */
#include "exchange/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "common/language.h"
#include "common/redact.h"

static const char *base_url = "";

/* Before the problem table is loaded, and for what only the shim raises. */
static const Problem known[] = {
	{.code = "malformed_request",.status = 400,.title = "Malformed request"},
	{.code = "not_found",.status = 404,.title = "Not found"},
	{.code = "method_not_allowed",.status = 405,.title = "Method not allowed"},
	{.code = "payload_too_large",.status = 413,.title = "Payload too large"},
	{.code = "uri_too_long",.status = 414,.title = "URI too long"},
	{.code = "header_too_large",.status = 431,.title = "Request header fields too large"},
	{.code = "internal",.status = 500,.title = "Internal error"},
	{.code = "not_implemented",.status = 501,.title = "Not implemented"},
	{.code = "unavailable",.status = 503,.title = "Service unavailable"},
	{.code = "timeout",.status = 504,.title = "Timeout"},
	{.code = "http_version_not_supported",.status = 505,.title = "HTTP version not supported"},
};

static const struct
{
	const char *prefix;			/* of the SQLSTATE */
	const char *code;
	const char *detail;
}			mapped[] = {
	{"22P02", "invalid_parameter", "a value does not have the form of its type"},
	{"22P05", "invalid_parameter", "a value has a character that the database cannot store"},
	{"22021", "invalid_parameter", "a value is not valid UTF-8"},
	{"22003", "invalid_parameter", "a number is out of range"},
	{"22007", "invalid_parameter", "a date or time does not have its form"},
	{"22008", "invalid_parameter", "a date or time is out of range"},
	{"54000", "payload_too_large", "a value is larger than the database takes"},
	{"54001", "payload_too_large", "a value is nested deeper than the database takes"},
	{"57014", "timeout", "the request took longer than it may"},
	{"23505", "conflict", "another request made the same at the same moment"},
	{"40001", "conflict", "the request met another one that changed the same data; try again"},
	{"40P01", "conflict", "the request met another one that changed the same data; try again"},
	{"55P03", "conflict", "another request holds what this one needs; try again"},
	{"25006", "unavailable", "the database takes no writes at the moment"},
	{"57P0", "unavailable", "the database is restarting"},
	{"08", "unavailable", "the database cannot be reached"},
	{"53", "unavailable", "the database is short of resources"},
};

void
problem_base(const char *public_url)
{
	base_url = public_url;
}

void
problem_violation(Request *request, const char *path, const char *code, const char *message)
{
	Buffer	   *list = &request->violations.list;

	if (request->violations.count == MAX_VIOLATIONS)
		return;
	list->arena = &request->arena;
	buffer_text(list, request->violations.count++ > 0 ? ",{\"path\":" : "{\"path\":");
	buffer_json(list, path, strlen(path));
	buffer_text(list, ",\"code\":");
	buffer_json(list, code, strlen(code));
	buffer_text(list, ",\"message\":");
	buffer_json(list, message, strlen(message));
	buffer_text(list, "}");
}

static const Problem *
find_problem(const Router *router, const char *code)
{
	const Problem *problem = router ? router_problem(router, code) : NULL;

	for (size_t i = 0; problem == NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].code, code) == 0)
			problem = &known[i];
	return problem ? problem : find_problem(NULL, "internal");
}

/* The title in the language that Accept-Language prefers; English when there is none in it. */
static const char *
title_in(const Problem *problem, const char *languages)
{
	const char *tags[ROUTER_MAX_LANGUAGES + 1];
	int			count = (int) problem->title_count;
	int			chosen;

	for (int i = 0; i < count; i++)
		tags[i] = problem->titles[i].language;
	tags[count] = "en";
	chosen = language_choose(languages, tags, count + 1);
	return chosen < 0 || chosen == count ? problem->title : problem->titles[chosen].text;
}

/* What an error says, in whichever form. */
typedef struct Telling
{
	const Problem *problem;
	int			status;
	const char *title;
	const char *detail;
	const char *instance;
	const char *trace_id;
	const char *violations;		/* JSON objects, comma-separated, or NULL */
} Telling;

/* RFC 9457. */
static void
write_problem(Buffer *body, const Telling *telling)
{
	buffer_text(body, "{\"type\":\"");
	buffer_text(body, base_url);
	buffer_text(body, "/developers/errors#");
	buffer_text(body, telling->problem->code);
	buffer_format(body, "\",\"title\":\"%s\",\"status\":%d,\"detail\":", telling->title, telling->status);
	buffer_json(body, telling->detail, strlen(telling->detail));
	buffer_text(body, ",\"instance\":");
	buffer_json(body, telling->instance, strlen(telling->instance));
	buffer_format(body, ",\"code\":\"%s\",\"traceId\":\"%s\"", telling->problem->code, telling->trace_id);
	if (telling->violations)
	{
		buffer_text(body, ",\"errors\":[");
		buffer_text(body, telling->violations);
		buffer_text(body, "]");
	}
	buffer_text(body, "}");
}

/* RFC 7644 section 3.12. */
static void
write_scim(Buffer *body, const Telling *telling)
{
	const char *type = telling->problem->scim_type;

	buffer_format(body, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"status\":\"%d\"", telling->status);
	if (type && *type)
		buffer_format(body, ",\"scimType\":\"%s\"", type);
	buffer_text(body, ",\"detail\":");
	buffer_json(body, telling->detail, strlen(telling->detail));
	buffer_text(body, "}");
}

/* The GraphQL specification, section 7.1: an error of the request, without data. */
static void
write_graphql(Buffer *body, const Telling *telling)
{
	buffer_text(body, "{\"errors\":[{\"message\":");
	buffer_json(body, telling->detail, strlen(telling->detail));
	buffer_format(body, ",\"extensions\":{\"code\":\"%s\",\"problem\":", telling->problem->code);
	write_problem(body, telling);
	buffer_text(body, "}}]}");
}

/* The forms in the order of ErrorForm, and the paths below which errors have them also where there is no endpoint. */
static const struct
{
	void		(*write) (Buffer *body, const Telling *telling);
	const char *media;
	const char *below;
}			forms[] = {
	[FORM_PROBLEM] = {write_problem, "application/problem+json", NULL},
	[FORM_SCIM] = {write_scim, "application/scim+json", "/api/scim/v2"},
	[FORM_GRAPHQL] = {write_graphql, "application/graphql-response+json", "/api/graphql"},
};

static ErrorForm
form_of(const Request *request)
{
	const char *path = request->path ? request->path : request->target;

	if (request->endpoint)
		return request->endpoint->error_form;
	for (int form = FORM_SCIM; form <= FORM_GRAPHQL; form++)
	{
		size_t		length = strlen(forms[form].below);

		if (strncmp(path, forms[form].below, length) == 0 && strchr("/?", path[length]))
			return (ErrorForm) form;
	}
	return FORM_PROBLEM;
}

/* A decoded path as a URI reference again (RFC 3986 section 3.3). */
static const char *
encode_path(Arena *arena, const char *path)
{
	static const char plain[] = "-._~!$&'()*+,;=:@/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	Buffer		encoded = {.arena = arena};

	if (path == NULL || path[strspn(path, plain)] == '\0')
		return path ? path : "";
	for (; *path; path++)
	{
		if (strchr(plain, *path))
			buffer_append(&encoded, path, 1);
		else
			buffer_format(&encoded, "%%%02X", (unsigned char) *path);
	}
	return encoded.data;
}

void
problem_reply(Request *request, const char *code, int status, const char *detail, const char *violations)
{
	Reply	   *reply = &request->reply;
	Buffer		body = {.arena = &request->arena};
	const Problem *problem = find_problem(request->router, code);
	ErrorForm	form = form_of(request);
	Telling		telling = {
		.problem = problem,
		.status = status ? status : problem->status,
		.title = title_in(problem, request_header(request, "Accept-Language")),
		.detail = detail,
		.instance = encode_path(&request->arena, request->path),
		.trace_id = request->trace_id,
		.violations = violations,
	};

	forms[form].write(&body, &telling);
	reply->status = telling.status;
	reply->body = body.data;
	/* a key in a path or in the name of a parameter must not go on into logs and tickets */
	reply->length = redact_text(body.data, body.length);
	reply_header(reply, "Content-Type", forms[form].media);
	if (reply->status == 503)
		reply_header(reply, "Retry-After", "1");
}

/* Headers of an error's DETAIL: {"Retry-After":"1"}. */
static void
read_headers(Request *request, const char *text, size_t length)
{
	JsonDocument *headers = arena_alloc(&request->arena, sizeof(JsonDocument));

	if (!json_scan(text, length, &request->arena, headers))
		return;
	for (int i = 0; i < headers->count; i++)
	{
		size_t		decoded;

		if (headers->members[i].type == JSON_STRING)
			reply_header(&request->reply, headers->members[i].name,
						 json_decode(headers->members[i].value, headers->members[i].length, &request->arena, &decoded));
	}
}

/* A problem of the extension: its DETAIL has the violations and headers. */
static void
reply_own_problem(Request *request, const PgError *error)
{
	JsonDocument *document = arena_alloc(&request->arena, sizeof(JsonDocument));
	const char *violations = NULL;
	const char *detail = error->message ? error->message : "";

	if (error->detail && json_scan(error->detail, strlen(error->detail), &request->arena, document))
		for (int i = 0; i < document->count; i++)
		{
			const JsonMember *member = &document->members[i];

			if (strcmp(member->name, "headers") == 0 && member->type == JSON_OBJECT)
				read_headers(request, member->value, member->length);
			else if (strcmp(member->name, "errors") == 0 && member->type == JSON_ARRAY && member->length > 2)
				violations = arena_copy(&request->arena, member->value + 1, member->length - 2);
		}
	if (error->hint)
		detail = arena_format(&request->arena, "%s. %s", detail, error->hint);
	problem_reply(request, error->constraint ? error->constraint : "internal", (int) strtol(error->sqlstate + 2, NULL, 10), detail,
				  violations);
}

static bool
reads(const Request *request)
{
	return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

void
problem_from_job(Request *request)
{
	const PgJob *job = &request->job;
	const PgError *error = &job->error;

	if (job->outcome == PG_LOST)
		problem_reply(request, "unavailable", 0, "the connection to the database broke; whether the request took effect "
					  "is unknown, so repeat it with its Idempotency-Key", NULL);
	else if (job->outcome == PG_LATE)
		problem_reply(request, "timeout", 504, "the database did not answer within the time limit; whether the request took effect "
					  "is unknown, so repeat it with its Idempotency-Key", NULL);
	else if (job->outcome == PG_WITHDRAWN)
	{
		request->error = "the client left";
		problem_reply(request, "unavailable", 0, "the client left before the answer was there", NULL);
	}
	else if (job->outcome == PG_REFUSED)
		problem_reply(request, "unavailable", 0, "the database cannot be reached or is busy", NULL);
	else if (strncmp(error->sqlstate, "QH", 2) == 0)
		reply_own_problem(request, error);
	else
	{
		request->error = arena_format(&request->arena, "%s: %s", error->sqlstate, error->message ? error->message : "");
		for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++)
			if (strncmp(error->sqlstate, mapped[i].prefix, strlen(mapped[i].prefix)) == 0)
			{
				if (strcmp(mapped[i].prefix, "55P03") == 0 && !reads(request))
					reply_header(&request->reply, "Retry-After", "1");
				/* who only reads has nothing in conflict */
				problem_reply(request, reads(request) && strcmp(mapped[i].code, "conflict") == 0 ? "unavailable" : mapped[i].code, 0,
							  mapped[i].detail, NULL);
				return;
			}
		problem_reply(request, "internal", 0, "the server failed; its log has the cause under this traceId", NULL);
	}
}

/* Take the problem out of the reply, which gets back what it was before. */
static const char *
take_problem(Request *request, const Reply *before, size_t *length)
{
	const char *text = request->reply.body;

	*length = request->reply.length;
	request->reply = *before;
	return text;
}

const char *
problem_of_job(Request *request, const PgJob *job, size_t *length)
{
	Reply		before = request->reply;

	request->job.outcome = job->outcome;
	request->job.error = job->error;
	problem_from_job(request);
	request->job.outcome = PG_DONE;
	request->job.error = (PgError) {0};
	return take_problem(request, &before, length);
}

const char *
problem_of_code(Request *request, const char *code, const char *detail, size_t *length)
{
	Reply		before = request->reply;

	problem_reply(request, code, 0, detail, NULL);
	return take_problem(request, &before, length);
}

bool
problem_unless_read(Request *request)
{
	if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0)
		return false;
	reply_header(&request->reply, "Allow", "GET, HEAD, OPTIONS");
	if (strcmp(request->method, "OPTIONS") == 0)
		request->reply.status = 204;
	else
		problem_reply(request, "method_not_allowed", 0, "the path can only be read", NULL);
	return true;
}
