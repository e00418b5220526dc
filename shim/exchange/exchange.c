/*
 * exchange.c
 *	  One statement per request, qehs.request, which calls the endpoint's function; of
 *	  a body that streams, request_begin, the function and request_end in one pipeline.
 *
 * What the shim itself refuses (an unknown path, a bad body) goes through
 * request_begin all the same, so that each refusal is counted against the rate
 * limit, carries its headers, and comes after 401 and 429.
 */
#include "exchange/exchange.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "exchange/arguments.h"
#include "exchange/cors.h"
#include "exchange/file.h"
#include "exchange/headers.h"
#include "exchange/health.h"
#include "exchange/problem.h"
#include "exchange/query.h"
#include "exchange/repeat.h"
#include "exchange/reply.h"
#include "exchange/token.h"
#include "exchange/trace.h"
#include "storage/storage.h"

#define FINGERPRINT_LENGTH SHA256_DIGEST_LENGTH
#define KEY_TENANT_DIGITS 7		/* of the text of a key: see extension/caller/keytext.c */
#define REFUSAL_LIMIT_NS (10 * CLOCK_SECOND)
#define TOO_MANY_STREAMS "the server has as many streams as it may at present"

enum
{
	STATEMENT_BEGIN, STATEMENT_CALL, STATEMENT_END
};

typedef struct Pending
{
	Exchange   *exchange;
	Request    *request;
	Pool	   *pool;
	void		(*finished) (Request *request);
	bool		whole;			/* one statement, which gives the whole answer */
	bool		last;			/* of a body that is a file: it has come */
} Pending;

void
exchange_identify(Request *request)
{
	const char *target = request->sent_target;
	const char *mark;

	trace_take(request);
	/* absolute form (RFC 9112 section 3.2.2): the authority does not matter here */
	if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0)
	{
		target = strchr(target, ':') + 3;
		target += strcspn(target, "/?#");
		if (*target != '/')
			target = arena_format(&request->arena, "/%s", target);
	}
	request->target = target;
	mark = strchr(target, '?');
	request->query = mark ? mark + 1 : "";
	request->path = query_decode(&request->arena, target, mark ? (size_t) (mark - target) : strlen(target), false);
}

/* Method, path, query and body, or the digest of one that was kept: what must be equal when a key comes again. */
static const char *
fingerprint(Request *request)
{
	unsigned char *digest = arena_alloc(&request->arena, FINGERPRINT_LENGTH);
	Buffer		text = {.arena = &request->arena};

	buffer_text(&text, request->method);
	buffer_append(&text, "", 1);
	buffer_text(&text, request->target);
	buffer_append(&text, "", 1);
	if (request->digest)
		buffer_append(&text, (const char *) request->digest, SHA256_DIGEST_LENGTH);
	else if (request->body_length > 0)
		buffer_append(&text, REQUEST_BODY(request), request->body_length);
	SHA256((unsigned char *) text.data, text.length, digest);
	return (char *) digest;
}

static void
bind_begin(Request *request, const char *bearer, PgStatement *begin)
{
	/* of a body that streams the key is an argument like others; what is refused unread has nothing to replay */
	const char *key = (request->streams && request->digest == NULL) || request->refusal.status ? NULL : headers_idempotency_key(request);
	const char *subject = bearer && token_is_one(bearer) ? token_verify(bearer, &request->arena) : NULL;
	const char *trace = request->tracestate ?
		arena_format(&request->arena, "%s %s", trace_parent(request), request->tracestate) : trace_parent(request);
	const char *values[] = {subject ? NULL : bearer, trace, request->client, key, key ? fingerprint(request) : NULL,
	request->endpoint ? request->endpoint->operation : NULL, request->refusal.code ? NULL : request->target, subject};

	request->keyed = key != NULL;
	begin->text = request->digest ? request->router->resume : request->router->begin;
	begin->count = BEGIN_PARAMETERS;
	for (int i = 0; i < BEGIN_PARAMETERS; i++)
	{
		begin->values[i] = values[i];
		begin->lengths[i] = values[i] == NULL ? 0 : i == 4 ? FINGERPRINT_LENGTH : (int) strlen(values[i]);
		begin->formats[i] = i < BEGIN_PARAMETERS - 1;	/* jsonb as text */
	}
}

/* A name that begins with @ is news for the log, not for the client. */
static void
take_header(Request *request, const char *name, const char *value)
{
	if (*name != '@')
		reply_header(&request->reply, name, value);
	else if (strcmp(name, "@tenant") == 0)
		request->tenant = value;
	else if (strcmp(name, "@key") == 0)
		request->key_id = value;
	else if (strcmp(name, "@next") == 0)
		request->next_part = value;
}

/* Put "Name: value" lines into the reply. */
static void
take_header_lines(Request *request, const char *lines, size_t length)
{
	const char *end = lines + length;

	while (lines < end)
	{
		const char *stop = memchr(lines, '\n', (size_t) (end - lines));
		const char *colon = memchr(lines, ':', (size_t) ((stop ? stop : end) - lines));

		stop = stop ? stop : end;
		if (colon && stop - colon > 1)
			take_header(request, arena_copy(&request->arena, lines, (size_t) (colon - lines)),
						arena_copy(&request->arena, colon + 2, (size_t) (stop - colon - 2)));
		lines = stop + 1;
	}
}

/* The stored answer of the first request with this key: {"status","headers","body"}. */
static void
reply_replay(Request *request)
{
	JsonDocument *stored = arena_alloc(&request->arena, sizeof(JsonDocument));
	const char *detail = request->job.error.detail;
	size_t		length;

	if (detail == NULL || !json_scan(detail, strlen(detail), &request->arena, stored))
		return;
	for (int i = 0; i < stored->count; i++)
	{
		const JsonMember *member = &stored->members[i];
		char	   *text = member->type == JSON_STRING ?
			json_decode(member->value, member->length, &request->arena, &length) : NULL;

		if (strcmp(member->name, "status") == 0)
			request->reply.status = (int) strtol(member->value, NULL, 10);
		else if (strcmp(member->name, "headers") == 0 && text)
			take_header_lines(request, text, length);
		else if (strcmp(member->name, "body") == 0 && text)
		{
			request->reply.body = text;
			request->reply.length = length;
		}
	}
	reply_header(&request->reply, "Idempotency-Replayed", "true");
}

static void
reply_answer(Request *request)
{
	size_t		length;
	const char *end = job_text(&request->job, STATEMENT_END, &length);
	const char *lines = end ? memchr(end, '\n', length) : NULL;

	request->reply.status = end ? (int) strtol(end, NULL, 10) : 200;
	if (lines)
		take_header_lines(request, lines + 1, length - (size_t) (lines + 1 - end));
	request->reply.body = job_text(&request->job, STATEMENT_CALL, &request->reply.length);
}

/* The status on a line, header lines, an empty line, the body. */
bool
exchange_split(const char *answer, size_t length, const char **lines, size_t *lines_length, const char **body)
{
	const char *stop = answer ? answer + length : NULL;
	const char *first = answer ? memchr(answer, '\n', length) : NULL;
	const char *end = first;

	/* to the line end that another one follows */
	while (end && (end + 1 == stop || end[1] != '\n'))
		end = memchr(end + 1, '\n', (size_t) (stop - end - 1));
	if (end == NULL)
		return false;
	*lines = first + 1;
	*lines_length = *lines <= end ? (size_t) (end + 1 - *lines) : 0;
	*body = end + 2;
	return true;
}

static void
reply_whole(Request *request)
{
	size_t		length;
	size_t		lines_length;
	const char *answer = job_text(&request->job, 0, &length);
	const char *lines;
	const char *body;

	if (!exchange_split(answer, length, &lines, &lines_length, &body))
	{
		problem_reply(request, "internal", 0, "the database gave no answer", NULL);
		return;
	}
	request->reply.status = (int) strtol(answer, NULL, 10);
	take_header_lines(request, lines, lines_length);
	request->reply.body = body;
	request->reply.length = length - (size_t) (body - answer);
}

/* More follows than the reply has: the rest streams behind it. */
static void
follow_lines(Exchange *exchange, Request *request)
{
	request->stream = exchange->make_lines(exchange, request);
	if (request->stream == NULL)
		problem_reply(request, "unavailable", 0, TOO_MANY_STREAMS, NULL);
}

void
exchange_finish(const Exchange *exchange, Request *request)
{
	cors_apply(request, exchange->config);
	if (request->endpoint && *request->endpoint->headers)
		take_header_lines(request, request->endpoint->headers, strlen(request->endpoint->headers));
	reply_complete(request);
	reply_header(&request->reply, "X-Trace-Id", request->trace_id);
	reply_header(&request->reply, "traceparent", trace_parent(request));
}

/* What the stream needs is there: its answer is what it will give. */
static void
start_stream(Pending *pending)
{
	Request    *request = pending->request;

	request->reply.body = NULL;
	request->reply.length = 0;
	reply_header(&request->reply, "Content-Type", request->media);
	request->stream->start(request->stream, pending->finished);
}

static void
job_done(PgJob *job)
{
	Pending    *pending = job->owner;
	Request    *request = pending->request;
	uint64_t	delay = repeat_delay(request);
	size_t		length;
	const char *lines;

	if (delay > 0)
	{
		job_free(job);
		pool_submit_later(pending->pool, job, delay);
		return;
	}
	request->waiting = false;
	request->database_time = clock_now() - job->submitted;
	lines = pending->whole ? NULL : job_text(job, STATEMENT_BEGIN, &length);
	if (lines)
		take_header_lines(request, lines, length);
	else if (job->outcome == PG_FAILED && job->error.datatype)
		take_header_lines(request, job->error.datatype, strlen(job->error.datatype));
	if (job->outcome == PG_FAILED && strcmp(job->error.sqlstate, "QH200") == 0)
		reply_replay(request);
	else if (request->refusal.code && (job->outcome == PG_DONE || (request->refusal.status && job->outcome != PG_FAILED)))
		problem_reply(request, request->refusal.code, request->refusal.status, request->refusal.detail, request->violations.list.data);
	else if (job->outcome != PG_DONE)
		problem_from_job(request);
	else if (pending->whole)
	{
		reply_whole(request);
		if (request->next_part && request->endpoint->part && request->reply.status == 200)
			follow_lines(pending->exchange, request);
	}
	else if (job->count > 1)
		reply_answer(request);
	if (request->stream && pending->last)
		;
	else if (request->stream && request->reply.status < 300 && (request->async || request->endpoint->body == BODY_FILE))
	{
		/* the reply comes when the body has */
		request->stream->start(request->stream, pending->finished);
		/* refused for what it says of its body, which need not come */
		if (request->reply.status >= 300)
		{
			request->stream->close(request->stream);
			request->stream = NULL;
		}
		pending->finished(request);
		return;
	}
	else if (request->stream && request->reply.status < 300)
		start_stream(pending);
	else if (request->stream)
	{
		request->stream->close(request->stream);
		request->stream = NULL;
	}
	if (request->endpoint && request->endpoint->answer == ANSWER_FILE && request->reply.status == 200)
		file_reply(request);
	exchange_finish(pending->exchange, request);
	pending->finished(request);
}

/*
 * Who waits in turns: the tenant, whose number is in the key's text behind its scheme; else the token or, without
 * any, the client.  FNV-1a.
 */
static uint32_t
caller_number(const Request *request, const char *bearer)
{
	const char *text = bearer ? bearer : request->client;
	const char *scheme = strncmp(text, "qehs_", 5) == 0 ? strstr(text, "_sk_") : NULL;
	size_t		length = strlen(text);
	uint32_t	hash = UINT32_C(2166136261);

	if (scheme && strlen(scheme) > KEY_TENANT_DIGITS + 4)
	{
		text = scheme + 4;
		length = KEY_TENANT_DIGITS;
	}
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) text[i]) * UINT32_C(16777619);
	return hash;
}

/* Put the endpoint's arguments behind those of request_begin. */
static void
bind_whole(PgStatement *statement, const Call *call, const PgStatement *arguments)
{
	statement->text = call->text;
	for (int i = 0; i < call->count; i++)
	{
		statement->values[statement->count] = arguments->values[call->from[i]];
		statement->lengths[statement->count] = arguments->lengths[call->from[i]];
		statement->formats[statement->count++] = arguments->formats[call->from[i]];
	}
}

/* What runs when nothing is refused before. */
static void
bind_call(Pending *pending, const Endpoint *endpoint, PgJob *job)
{
	PgStatement *arguments = &job->statements[STATEMENT_CALL];

	pending->whole = endpoint->body != BODY_STREAM && endpoint->body != BODY_FILE;
	if (pending->whole)
	{
		bind_whole(&job->statements[0], &endpoint->calls[CALL_FUNCTION], arguments);
		return;
	}
	arguments_pick(&endpoint->calls[pending->request->async ? CALL_ASYNC_BEGIN : CALL_BEGIN], arguments, arguments);
	job->statements[STATEMENT_END] = (PgStatement) {.text = pending->request->router->end};
	job->count = 3;
}

static void
submit(Exchange *exchange, Request *request, void (*finished) (Request *request))
{
	PgJob	   *job = &request->job;
	Pending    *pending = arena_alloc(&request->arena, sizeof(Pending));
	const char *bearer = headers_bearer(request);

	*pending = (Pending) {exchange, request, request->stream ? request->stream->pool : exchange->pool, finished, false, false};
	job->done = job_done;
	job->owner = pending;
	job->caller = caller_number(request, bearer);
	job->kind = request->endpoint ? (uint32_t) (request->endpoint - request->router->endpoints) + 1 : 0;
	job->limit = request->endpoint ? request->endpoint->limit : REFUSAL_LIMIT_NS;
	bind_begin(request, bearer, &job->statements[STATEMENT_BEGIN]);
	job->repeatable = request->keyed || request->refusal.code || repeat_is_harmless(request);
	job->count = 1;
	/* without an endpoint's success nothing but request_begin runs */
	if (request->refusal.code == NULL && request->reply.status == 0)
		bind_call(pending, request->endpoint, job);
	request->waiting = true;
	pool_submit(pending->pool, job);
}

void
exchange_conclude(Exchange *exchange, Request *request, const PgStatement *arguments, void (*finished) (Request *request))
{
	PgJob	   *job = &request->job;
	Pending    *pending = job->owner;

	job_free(job);
	*pending = (Pending) {exchange, request, exchange->pool, finished, !request->async, true};
	bind_begin(request, headers_bearer(request), &job->statements[STATEMENT_BEGIN]);
	if (request->async)
	{
		/* the limits that were told stay */
		request->reply.status = 0;
		request->reply.body = NULL;
		request->reply.length = 0;
		arguments_pick(&request->endpoint->calls[CALL_ASYNC], arguments, &job->statements[STATEMENT_CALL]);
		job->repeatable = request->keyed;
		job->count = 3;
	}
	else
	{
		request->reply = (Reply) {0};
		bind_whole(&job->statements[0], &request->endpoint->calls[CALL_FUNCTION], arguments);
		job->count = 1;
	}
	request->waiting = true;
	pool_submit(exchange->pool, job);
}

/* Has the path a percent-encoded slash?  It is data (RFC 3986 section 2.2), and no path has a place for it. */
static bool
has_encoded_slash(const Request *request)
{
	const char *found = strcasestr(request->target, "%2f");

	return found && found < request->target + strcspn(request->target, "?");
}

void
exchange_route(const Exchange *exchange, Request *request)
{
	Buffer		allow = {.arena = &request->arena};

	request->router = router_hold(exchange->router);
	if (request->router == NULL || request->for_metrics || request->path == NULL || has_encoded_slash(request))
		return;
	request->endpoint = router_match(request->router, request->method, request->path, &request->arena, request->path_values, &allow);
	request->allow = allow.data;
	request->streams = request->endpoint && (request->endpoint->body == BODY_STREAM || request->endpoint->body == BODY_FILE);
}

/* Note why there is no endpoint. */
static void
refuse_route(Request *request)
{
	bool		options = strcmp(request->method, "OPTIONS") == 0;

	if (request->path == NULL)
	{
		problem_violation(request, "", "encoding", "must be percent-encoded UTF-8 without NUL");
		request_refuse(request, "invalid_parameter", "the path cannot be decoded");
	}
	else if (strcmp(request->path, "*") == 0 && options)
		request->reply.status = 204;
	else if (request->allow == NULL)
		request_refuse(request, "not_found", "there is nothing at this path");
	else
	{
		reply_header(&request->reply, "Allow", request->allow);
		if (options)
			request->reply.status = 204;
		else
			request_refuse(request, "method_not_allowed", "the path does not have this method; Allow lists those it has");
	}
}

void
exchange_start(Exchange *exchange, Request *request, void (*finished) (Request *request))
{
	bool		broken = request->refusal.status != 0;

	if (broken && (request->router == NULL || request->for_metrics || health_is_path(exchange, request)))
		problem_reply(request, request->refusal.code, request->refusal.status, request->refusal.detail, NULL);
	else if (!broken && (health_reply(exchange, request) || (!request->for_metrics && request->path && exchange->page(request))))
		;
	else if (request->for_metrics)
		problem_reply(request, "not_found", 0, "there is nothing at this path", NULL);
	else if (request->router == NULL)
		problem_reply(request, "unavailable", 0, "the database cannot be reached", NULL);
	else
	{
		request->public_url = exchange->config->public_url;
		if (!broken && request->endpoint == NULL)
			refuse_route(request);
		if (request->endpoint && request->refusal.code == NULL)
		{
			request->async = request->endpoint->calls[CALL_ASYNC].text && storage_exists() && headers_prefer_async(request);
			headers_check(request);
			if (request->refusal.code == NULL)
				arguments_read(request, &request->job.statements[STATEMENT_CALL]);
			if (request->refusal.code == NULL && request->streams &&
				(request->stream = exchange->make_stream(exchange, request)) == NULL)
				request_refuse(request, "unavailable", TOO_MANY_STREAMS);
		}
		submit(exchange, request, finished);
		return;
	}
	exchange_finish(exchange, request);
}

void
exchange_abandon(Exchange *exchange, Request *request)
{
	if (request->waiting && request->stream == NULL && repeat_is_harmless(request))
		pool_withdraw(exchange->pool, &request->job);
}
