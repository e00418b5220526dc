/*
 * body.c
 *	  A body that is taken whole, up to --max-body.
 *
 * One that is too large is read to its end all the same, as far as DRAIN_BYTES, and
 * then answered: so its sender sees the answer whether it reads meanwhile or not.
 */
#include <stdlib.h>
#include <string.h>

#include "exchange/problem.h"
#include "http/state.h"

#define BODY_FIRST_BYTES 2048

static void
refuse(Request *request)
{
	request_refuse_now(request, "payload_too_large", 413, "the body is larger than the server takes");
}

static uint64_t
declared_length(const Request *request)
{
	const char *length = request_header(request, "Content-Length");

	return length ? strtoull(length, NULL, 10) : 0;
}

void
body_check_length(Request *request)
{
	const Exchange *exchange = request->server->exchange;

	/* before the endpoints are known nobody can tell whether it streams */
	if (request->streams || declared_length(request) <= exchange->config->max_body)
		return;
	if (request->router == NULL)
		request_refuse_now(request, "unavailable", 503, "the database cannot be reached");
	else
		refuse(request);
}

bool
body_is_drained(const Request *request)
{
	return (request->refusal.status == 413 || request->refusal.status == 503) && request_header(request, "Expect") == NULL &&
		declared_length(request) <= request->server->exchange->config->max_body + DRAIN_BYTES;
}

/* Nobody knows how much more there is to come: answer, without the database. */
static enum MHD_Result
give_up(Request *request)
{
	if (request->reply.status == 0)
	{
		problem_reply(request, request->refusal.code, request->refusal.status, request->refusal.detail, NULL);
		exchange_finish(request->server->exchange, request);
	}
	return respond_early(request);
}

enum MHD_Result
body_take(Request *request, const char *part, size_t length)
{
	size_t		needed = request->body_length + length + 2;
	size_t		limit = request->server->exchange->config->max_body;

	if (request->refusal.status || request->body_length + length > limit)
	{
		refuse(request);
		request->body_length += length;
		return request->body_length > limit + DRAIN_BYTES ? give_up(request) : MHD_YES;
	}
	if (needed > request->body_capacity)
	{
		size_t		capacity = needed < BODY_FIRST_BYTES ? BODY_FIRST_BYTES : needed * 2;
		char	   *buffer = realloc(request->buffer, capacity);

		if (buffer == NULL)
			abort();
		request->buffer = buffer;
		request->body_capacity = capacity;
	}
	memcpy(REQUEST_BODY(request) + request->body_length, part, length);
	request->body_length += length;
	REQUEST_BODY(request)[request->body_length] = '\0';
	return MHD_YES;
}
