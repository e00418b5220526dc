/*
 * framing.c
 *	  One pass over the fields of a head, then the checks in their order.
 *
 * Where two readers could differ the request is refused and its connection
 * closed, so that nothing behind it is read as another request.
 */
#include "http/framing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exchange/trace.h"

/* tchar of RFC 9110 section 5.6.2. */
#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
/* uri-host and port of RFC 3986 section 3.2: unreserved, sub-delims, % and what an IP literal has. */
#define HOST "-._~!$&'()*+,;=%[]:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef struct Fields
{
	int			content_lengths;
	int			transfer_encodings;
	int			hosts;
	int			traceparents;
	int			authorizations;
	int			content_types;
	int			idempotency_keys;
	bool		chunked;
	bool		bad_name;
	bool		bad_host;
} Fields;

static bool
is_token(const char *text)
{
	return *text && text[strspn(text, TOKEN)] == '\0';
}

static void
note_field(void *closure, const char *name, const char *value)
{
	Fields	   *fields = closure;

	fields->content_lengths += strcasecmp(name, "Content-Length") == 0;
	fields->traceparents += strcasecmp(name, "traceparent") == 0;
	fields->authorizations += strcasecmp(name, "Authorization") == 0;
	fields->content_types += strcasecmp(name, "Content-Type") == 0;
	fields->idempotency_keys += strcasecmp(name, "Idempotency-Key") == 0;
	if (strcasecmp(name, "Host") == 0)
	{
		fields->hosts++;
		fields->bad_host = fields->bad_host || (value && value[strspn(value, HOST)] != '\0');
	}
	if (strcasecmp(name, "Transfer-Encoding") == 0)
	{
		fields->transfer_encodings++;
		fields->chunked = value && strcasecmp(value, "chunked") == 0;
	}
	fields->bad_name = fields->bad_name || !is_token(name);
}

/* What is wrong with the target as it was sent, or NULL: a path, an http URL with a host, or * for OPTIONS (RFC 9112 section 3.2). */
static const char *
target_fault(const Request *request)
{
	const char *target = request->sent_target;
	const char *authority = strstr(target, "://");
	size_t		length;

	if (target[strcspn(target, " \t")] != '\0')
		return "the request target must not contain a space; write it as %20";
	if (*target == '/' || (strcmp(target, "*") == 0 && strcmp(request->method, "OPTIONS") == 0))
		return NULL;
	if (strncasecmp(target, "http://", 7) != 0 && strncasecmp(target, "https://", 8) != 0)
		return "the request target must be a path";
	length = strcspn(authority + 3, "/?#");
	if (length == 0 || memchr(authority + 3, '@', length))
		return "the authority of the request target must be a host, without user information";
	return NULL;
}

/* What makes the request malformed, or NULL. */
static const char *
find_fault(const Request *request, const Fields *fields, const char *length)
{
	const char *target = target_fault(request);

	if (fields->bad_name)
		return "a header field has a name that is not a token";
	if (fields->content_lengths > 1 || fields->hosts > 1 || fields->transfer_encodings > 1 ||
		(fields->content_lengths > 0 && fields->transfer_encodings > 0))
		return "Host, Content-Length and Transfer-Encoding must stand once, and not both of the latter";
	if (request->full_http && fields->hosts == 0)
		return "Host is required in HTTP/1.1";
	if (fields->bad_host)
		return "Host must be a host, perhaps with a port";
	if (fields->authorizations > 1 || fields->content_types > 1 || fields->idempotency_keys > 1)
		return "Authorization, Content-Type and Idempotency-Key must stand once";
	if (target)
		return target;
	if (!is_token(request->method))
		return "the method is not a token";
	if (!request->full_http && fields->transfer_encodings > 0)
		return "Transfer-Encoding is not part of HTTP/1.0";
	if (length && (*length == '\0' || length[strspn(length, "0123456789")] != '\0'))
		return "Content-Length must be a number";
	return NULL;
}

void
framing_check(Request *request, bool broken, size_t max_body)
{
	Fields		fields = {0};
	const char *length = request_header(request, "Content-Length");
	const char *fault;

	request_each_header(request, note_field, &fields);
	/* two are none (W3C Trace Context section 4.3) */
	if (fields.traceparents > 1)
		trace_new(request);
	fault = broken ? "the request is not framed as RFC 9112 has it" : find_fault(request, &fields, length);
	if (fault)
		request_refuse_now(request, "malformed_request", 400, fault);
	else if (fields.transfer_encodings > 0 && !fields.chunked)
		request_refuse_now(request, "not_implemented", 501, "Transfer-Encoding must be chunked");
	else if (length && !request->streams && strtoull(length, NULL, 10) > max_body)
		request_refuse_now(request, "payload_too_large", 413, "the body is larger than the server takes");
}
