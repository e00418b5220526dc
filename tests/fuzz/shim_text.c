/*
 * shim_text.c
 *	  libFuzzer target of the shim's small readers of what clients send: query
 *	  strings, entity tags, languages, forwarded addresses, trace headers, paths,
 *	  media types and keys, secrets in any text.  The first byte chooses.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/language.h"
#include "common/redact.h"
#include "http/client.h"
#include "exchange/etag.h"
#include "exchange/headers.h"
#include "exchange/problem.h"
#include "exchange/query.h"
#include "exchange/trace.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *sent;		/* the value of every header */

const char *
request_header(const Request *request, const char *name)
{
	(void) request;
	(void) name;
	return sent;
}

static void
try_query(Request *request, const char *text)
{
	Query		query;
	size_t		length;

	request->query = text;
	query_read(request, &query);
	query_value(request, &query, "limit");
	query_filter(request, &query, &length);
	query_refuse_unknown(request, &query);
	if (query.count > 0 || request->violations.count > 0)
		problem_reply(request, "invalid_parameter", 0, text, request->violations.list.data);
}

/* What is taken out is out, and nothing grows. */
static void
try_redact(Request *request, const char *text, size_t size)
{
	char	   *copy = arena_copy(&request->arena, text, size);
	size_t		length = redact_text(copy, size);

	if (length > size || redact_needed(copy, length) || (!redact_needed(text, size) && (length != size || memcmp(copy, text, size) != 0)))
		abort();
}

static void
try_addresses(const char *text)
{
	static bool trusted = false;
	struct sockaddr_in peer = {.sin_family = AF_INET,.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char		address[64];

	if (!trusted)
		client_trust("127.0.0.0/8,10.0.0.0/8,::1");
	trusted = true;
	client_address((struct sockaddr *) &peer, text, NULL, address, sizeof(address));
	client_address((struct sockaddr *) &peer, NULL, text, address, sizeof(address));
	if (*address == '\0' || strlen(address) >= sizeof(address))
		abort();
}

#define ROUTE(operation, method, path) "{\"operation\":\"" operation "\",\"method\":\"" method "\",\"path\":\"" path "\",\"function\":\"f\"," \
	"\"body\":\"none\",\"answer\":\"none\",\"errorForm\":\"problem\",\"parameters\":[]}"

static void
try_route(Request *request, const char *text, size_t size)
{
	static Router *router = NULL;
	char		fault[200];
	const char *values[ROUTER_MAX_PARAMETERS];
	Buffer		allow = {.arena = &request->arena};
	char	   *path = query_decode(&request->arena, text, size, false);

	if (router == NULL)
		router = router_load("[" ROUTE("a", "GET", "/r/{id}") "," ROUTE("b", "POST", "/r/{id}:move") "," ROUTE("c", "GET", "/r/{id}/{other}/x") "]",
							 "[]", "1", fault, sizeof(fault));
	if (router == NULL)
		abort();
	if (path)
		router_match(router, "GET", path, &request->arena, values, &allow);
}

/* All headers have the same value: what is read of each differs. */
static void
try_headers(Request *request, bool streams)
{
	static const Endpoint endpoint = {.operation = "a",.takes = {1, {"application/json"}},.body = BODY_JSON};
	static const Endpoint stream = {.operation = "b",.takes = {2, {"application/x-ndjson", "text/csv"}},.body = BODY_STREAM};

	request->method = "POST";
	request->endpoint = streams ? &stream : &endpoint;
	request->body_length = 1;
	headers_check(request);
	headers_idempotency_key(request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tags[] = {"de", "de-CH", "en", "fr"};
	Request		request = {.method = "GET",.target = "/",.path = "/"};
	char	   *text;

	if (size == 0)
		return 0;
	text = arena_copy(&request.arena, (const char *) data + 1, size - 1);
	sent = text;
	switch (*data % 8)
	{
		case 0:
			try_query(&request, text);
			break;
		case 1:
			etag_find(text, "\"17\"", size % 2);
			break;
		case 2:
			language_choose(text, tags, 4);
			break;
		case 3:
			try_addresses(text);
			break;
		case 4:
			trace_take(&request);
			if (strlen(request.trace_id) != TRACE_ID_LENGTH || strlen(trace_parent(&request)) != 55)
				abort();
			break;
		case 5:
			try_route(&request, text, size - 1);
			break;
		case 6:
			try_headers(&request, size % 2);
			break;
		default:
			try_redact(&request, text, size - 1);
	}
	arena_free(&request.arena);
	return 0;
}
