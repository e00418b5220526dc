/*
 * headers.c
 *	  What the fields of a request say: who sends it, under which key, what it
 *	  holds and what answer it takes.
 */
#include "exchange/headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exchange/etag.h"
#include "exchange/media.h"
#include "exchange/problem.h"
#include "base/decode.h"

const char *
headers_bearer(const Request *request)
{
	const char *header = request_header(request, "Authorization");

	if (header == NULL)
		return NULL;
	if (strncasecmp(header, "Bearer ", 7) != 0)
		return "";
	/* what is not ASCII is no b64token (RFC 6750 section 2.1), and may be no UTF-8 */
	for (const char *c = header; *c; c++)
		if (*c < 0x20 || *c >= 0x7F)
			return "";
	return header + 7 + strspn(header + 7, " ");
}

bool
headers_change_things(const Request *request)
{
	return strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0 &&
		strcmp(request->method, "OPTIONS") != 0;
}

const char *
headers_idempotency_key(Request *request)
{
	const char *key = request_header(request, "Idempotency-Key");
	bool		valid;

	if (key == NULL || !headers_change_things(request))
		return NULL;
	valid = *key != '\0' && strlen(key) <= 255;
	for (const char *c = key; *c; c++)
		valid = valid && *c >= 0x20 && *c < 0x7F;
	if (valid)
		return key;
	problem_violation(request, "@Idempotency-Key", "format", "must be 1 to 255 printable ASCII characters");
	request_refuse(request, "invalid_parameter", "the Idempotency-Key cannot be used");
	return NULL;
}

bool
headers_prefer_async(const Request *request)
{
	static const char name[] = "respond-async";
	const char *prefer = request_header(request, "Prefer");

	while (prefer && *prefer)
	{
		size_t		length;

		prefer += strspn(prefer, " \t,");
		length = strcspn(prefer, ",; \t=");
		if (length == sizeof(name) - 1 && strncasecmp(prefer, name, length) == 0)
			return true;
		prefer += strcspn(prefer, ",");
	}
	return false;
}

/* Refuse a field for what it says: errors names it, message is what it must be. */
static void
refuse_field(Request *request, const char *problem, const char *path, const char *code, const char *message)
{
	problem_violation(request, path, code, message);
	request_refuse(request, problem, arena_format(&request->arena, "%s %s", path + 1, message));
}

/* The body's type and encoding; none at all is fine where it streams, as curl -T sends none. */
static void
check_body_fields(Request *request)
{
	const Endpoint *endpoint = request->endpoint;
	const char *type = request_header(request, "Content-Type");
	const char *encoding = request_header(request, "Content-Encoding");
	bool		streams = endpoint->body == BODY_STREAM;

	if (!media_is_taken(type, &endpoint->takes) && !(streams && type == NULL))
		refuse_field(request, "unsupported_media_type", "@Content-Type", "media_type",
					 arena_format(&request->arena, "must be %s", media_names(&endpoint->takes, &request->arena)));
	if (streams ? !decoder_knows(encoding) : encoding && strcasecmp(encoding, "identity") != 0)
		refuse_field(request, "unsupported_media_type", "@Content-Encoding", "encoding", streams ? "must be gzip, zstd or none" : "must be none");
}

static void
check_precondition(Request *request, const char *name)
{
	const char *field = request_header(request, name);
	bool		taken = !headers_change_things(request);
	const char *path;

	if (field == NULL)
		return;
	path = arena_format(&request->arena, "@%s", name);
	for (int i = 0; i < request->endpoint->parameter_count && !taken; i++)
		taken = request->endpoint->parameters[i].place == IN_HEADER && strcasecmp(request->endpoint->parameters[i].name, name) == 0;
	if (!taken)
	{
		problem_violation(request, path, "unsupported", "is a condition that this endpoint does not know");
		request_refuse(request, "invalid_parameter", "a condition that is not looked at must not be sent");
	}
	else if (etag_find(field, NULL, true) == TAG_MALFORMED)
	{
		problem_violation(request, path, "format", "must be * or entity tags in double quotes, such as \"1\"");
		request_refuse(request, "invalid_parameter", "a condition cannot be read");
	}
}

void
headers_check(Request *request)
{
	const Endpoint *endpoint = request->endpoint;

	check_precondition(request, "If-Match");
	check_precondition(request, "If-None-Match");
	request->media = media_choose(request_header(request, "Accept"), &endpoint->gives);
	/* who names only the type of errors takes what there is */
	if (request->media == NULL && media_is_named(request_header(request, "Accept"), "application/problem+json"))
		request->media = endpoint->gives.types[0];
	/* the answer tells of a job, and its lines come never */
	if (request->async)
		request->media = "application/json";
	/* a file is of whatever type it is */
	if (request->media == NULL && endpoint->answer == ANSWER_FILE)
		request->media = endpoint->gives.types[0];
	if (request->media == NULL)
		refuse_field(request, "not_acceptable", "@Accept", "media_type",
					 arena_format(&request->arena, "must allow %s, which the endpoint answers", media_names(&endpoint->gives, &request->arena)));
	/* a part of a body would be taken for the whole (RFC 9110 section 14.5) */
	if (endpoint->body != BODY_NONE && request_header(request, "Content-Range"))
	{
		problem_violation(request, "@Content-Range", "unsupported", "must not be sent: a body is taken as a whole");
		request_refuse(request, "invalid_parameter", "a part of a body is not taken");
	}
	if (endpoint->body == BODY_FILE && request_header(request, "Content-Encoding"))
		refuse_field(request, "unsupported_media_type", "@Content-Encoding", "encoding", "must be none: a file is stored as it is sent");
	if (endpoint->body == BODY_STREAM)
		headers_idempotency_key(request);
	if (endpoint->body == BODY_STREAM || (endpoint->body == BODY_JSON && request->body_length > 0))
		check_body_fields(request);
}
