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
#include "exchange/problem.h"
#include "stream/decode.h"

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

/* Does the Accept header allow what the endpoint answers?  Weights matter only when zero. */
static bool
accepts(const char *accept, const char *media)
{
	const char *const ranges[] = {"*/*", "application/*", media, "application/problem+json"};

	if (accept == NULL || accept[strspn(accept, " ")] == '\0')
		return true;
	while (*accept)
	{
		size_t		length = strcspn(accept, ",");
		size_t		name = strspn(accept, " \t");
		size_t		end = strcspn(accept, ",; \t");

		end = name < length ? name + strcspn(accept + name, ",; \t") : end;
		for (size_t i = 0; i < 4; i++)
			if (end - name == strlen(ranges[i]) && strncasecmp(accept + name, ranges[i], end - name) == 0)
			{
				const char *quality = memmem(accept, length, "q=", 2);

				if (quality == NULL || strtod(quality + 2, NULL) > 0)
					return true;
			}
		accept += length + (accept[length] == ',');
	}
	return false;
}

/* application/json or a +json type; a charset must be UTF-8. */
static bool
is_json_type(const char *type)
{
	size_t		length;
	const char *charset;

	if (type == NULL)
		return false;
	length = strcspn(type, "; \t");
	charset = strcasestr(type, "charset=");
	if (charset && strncasecmp(charset + 8, "utf-8", 5) != 0 && strncasecmp(charset + 8, "\"utf-8\"", 7) != 0)
		return false;
	return (length == 16 && strncasecmp(type, "application/json", 16) == 0) ||
		(length == 28 && strncasecmp(type, "application/merge-patch+json", 28) == 0);
}

/* One of the names that lines of JSON go by; none at all is fine, as curl -T sends none. */
static bool
is_lines_type(const char *type)
{
	static const char *const names[] = {"application/x-ndjson", "application/ndjson", "application/jsonl",
	"application/x-jsonlines"};
	size_t		length = type ? strcspn(type, "; \t") : 0;

	for (size_t i = 0; i < 4; i++)
		if (length == strlen(names[i]) && strncasecmp(type, names[i], length) == 0)
			return true;
	return length == 0;
}

/* Refuse a field for what it says: errors names it, message is what it must be. */
static void
refuse_field(Request *request, const char *problem, const char *path, const char *code, const char *message)
{
	problem_violation(request, path, code, message);
	request_refuse(request, problem, arena_format(&request->arena, "%s %s", path + 1, message));
}

static void
check_stream_headers(Request *request, const char *encoding)
{
	headers_idempotency_key(request);
	if (!is_lines_type(request_header(request, "Content-Type")))
		refuse_field(request, "unsupported_media_type", "@Content-Type", "media_type", "must be application/x-ndjson");
	if (!decoder_knows(encoding))
		refuse_field(request, "unsupported_media_type", "@Content-Encoding", "encoding", "must be gzip, zstd or none");
}

static void
check_precondition(Request *request, const char *name)
{
	const char *field = request_header(request, name);
	const char *path = arena_format(&request->arena, "@%s", name);
	bool		taken = !headers_change_things(request);

	if (field == NULL)
		return;
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
	const char *encoding = request_header(request, "Content-Encoding");

	check_precondition(request, "If-Match");
	check_precondition(request, "If-None-Match");

	if (!accepts(request_header(request, "Accept"), request->endpoint->media))
		refuse_field(request, "not_acceptable", "@Accept", "media_type",
					 arena_format(&request->arena, "must allow %s, which the endpoint answers", request->endpoint->media));
	if (request->endpoint->streams)
		check_stream_headers(request, encoding);
	if (!request->endpoint->has_body || request->body_length == 0)
		return;
	if (encoding && strcasecmp(encoding, "identity") != 0)
		refuse_field(request, "unsupported_media_type", "@Content-Encoding", "encoding", "must be none");
	if (!is_json_type(request_header(request, "Content-Type")))
		refuse_field(request, "unsupported_media_type", "@Content-Type", "media_type", "must be application/json");
}
