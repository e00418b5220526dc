/*
 * cors.c
 *	  Keys travel in the Authorization header, never in cookies, so credentials
 *	  mode is not offered and an origin of * is harmless.
 */
#include "exchange/cors.h"

#include <string.h>

static bool
is_allowed(const char *origins, const char *origin)
{
	size_t		length = strlen(origin);

	while (*origins)
	{
		size_t		item = strcspn(origins, ",");

		if ((item == 1 && *origins == '*') || (item == length && strncmp(origins, origin, length) == 0))
			return true;
		origins += item + (origins[item] == ',');
	}
	return false;
}

void
cors_apply(Request *request, const Config *config)
{
	const char *origin = *config->cors_origins ? request_header(request, "Origin") : NULL;
	Reply	   *reply = &request->reply;

	if (*config->cors_origins)
		reply_header(reply, "Vary", "Origin");
	if (origin == NULL || !is_allowed(config->cors_origins, origin))
		return;
	reply_header(reply, "Access-Control-Allow-Origin", arena_copy(&request->arena, origin, strlen(origin)));
	reply_header(reply, "Access-Control-Expose-Headers",
				 "ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-RateLimit-Limit, "
				 "X-RateLimit-Remaining, X-RateLimit-Reset, X-Trace-Id, traceparent");
	if (strcmp(request->method, "OPTIONS") != 0 || request_header(request, "Access-Control-Request-Method") == NULL)
		return;
	reply_header(reply, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
	reply_header(reply, "Access-Control-Allow-Headers",
				 "Authorization, Content-Type, Accept-Language, Idempotency-Key, If-Match, If-None-Match, Prefer, traceparent, tracestate");
	reply_header(reply, "Access-Control-Max-Age", "600");
}
