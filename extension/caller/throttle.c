/*
 * throttle.c
 *	  Limits of keys and addresses, X-RateLimit-* and the fields of
 *	  draft-ietf-httpapi-ratelimit-headers (RateLimit-Policy, RateLimit).
 */
#include "base/compat.h"

#include <arpa/inet.h>

#include "base/error.h"
#include "base/json.h"
#include "caller/throttle.h"
#include "common/hashfn.h"
#include "utils/guc.h"

#define FAILURE_WEIGHT 2

static int	address_limit = 300;

static const char *const class_names[RATE_CLASS_COUNT] = {
	[RATE_DEFAULT] = "default",
	[RATE_SIGNED_URLS] = "signed-urls",
	[RATE_TENANT] = "tenant",
	[RATE_ADDRESS] = "address",
};

void
throttle_init(void)
{
	DefineCustomIntVariable("qehs.address_rate_limit",
							"Requests a minute from one address without a valid API key.",
							"A failed API key counts double. 0 is without limit.",
							&address_limit, 300, 0, 1000000, PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* The limits that a request has been counted against. */
typedef struct Counted
{
	int			count;
	RateClass	classes[RATE_CLASS_COUNT];
	RateVerdict verdicts[RATE_CLASS_COUNT];
} Counted;

/*
 * X-RateLimit-* tell of the limit that is nearest, the draft's fields of all
 * (lists of RFC 8941).  No format: this is on the path of every request.
 */
static void
write_headers(StringInfo headers, const Counted *counted)
{
	const RateVerdict *nearest = &counted->verdicts[0];

	for (int i = 1; i < counted->count; i++)
		if (counted->verdicts[i].remaining < nearest->remaining || !counted->verdicts[i].allowed)
			nearest = &counted->verdicts[i];
	json_literal(headers, "X-RateLimit-Limit: ");
	json_int(headers, nearest->limit);
	json_literal(headers, "\nX-RateLimit-Remaining: ");
	json_int(headers, nearest->remaining);
	json_literal(headers, "\nX-RateLimit-Reset: ");
	json_int(headers, nearest->reset);
	json_literal(headers, "\nRateLimit-Policy: \"");
	for (int i = 0; i < counted->count; i++)
	{
		if (i > 0)
			json_literal(headers, ", \"");
		appendStringInfoString(headers, class_names[counted->classes[i]]);
		json_literal(headers, "\";q=");
		json_int(headers, counted->verdicts[i].limit);
		json_literal(headers, ";w=60");
	}
	json_literal(headers, "\nRateLimit: \"");
	for (int i = 0; i < counted->count; i++)
	{
		if (i > 0)
			json_literal(headers, ", \"");
		appendStringInfoString(headers, class_names[counted->classes[i]]);
		json_literal(headers, "\";r=");
		json_int(headers, counted->verdicts[i].remaining);
		json_literal(headers, ";t=");
		json_int(headers, counted->verdicts[i].wait);
	}
	appendStringInfoChar(headers, '\n');
}

char *
throttle_headers_json(const char *lines)
{
	StringInfoData out;

	initStringInfo(&out);
	json_literal(&out, "{\"headers\":{");
	while (*lines)
	{
		const char *end = strchr(lines, '\n');
		const char *colon = strstr(lines, ": ");

		if (colon == NULL || end == NULL || colon > end)
			break;
		json_string(&out, pnstrdup(lines, colon - lines));
		appendStringInfoChar(&out, ':');
		json_string(&out, pnstrdup(colon + 2, end - colon - 2));
		lines = end + 1;
		if (*lines)
			appendStringInfoChar(&out, ',');
	}
	json_literal(&out, "}}");
	return out.data;
}

pg_noreturn static void
refuse(RateClass class, const RateVerdict *verdict, StringInfo headers)
{
	static const char *const messages[RATE_CLASS_COUNT] = {
		[RATE_DEFAULT] = "the API key may send %d requests a minute",
		[RATE_SIGNED_URLS] = "the API key may ask for %d signed URLs a minute",
		[RATE_TENANT] = "the API keys of the tenant may send %d requests a minute together",
		[RATE_ADDRESS] = "the address may send %d requests a minute without a valid API key",
	};

	appendStringInfo(headers, "Retry-After: %d\n", verdict->wait);
	problem_raise_detail(PROBLEM_RATE_LIMITED, throttle_headers_json(headers->data),
						 "Wait as long as Retry-After says.", "%s", psprintf(messages[class], verdict->limit));
}

/* Count against one more limit (0: none); refuse when it is used up. */
static void
apply(const pg_uuid_t *caller, RateClass class, int32 limit, int32 weight, Counted *counted, StringInfo headers)
{
	RateVerdict *verdict = &counted->verdicts[counted->count];

	if (limit == 0)
		return;
	ratelimit_count(caller, class, limit, weight, verdict);
	counted->classes[counted->count++] = class;
	if (verdict->allowed)
		return;
	write_headers(headers, counted);
	refuse(class, verdict, headers);
}

void
throttle_key(const KeyGrant *grant, RateClass class, StringInfo headers)
{
	Counted		counted = {0};
	pg_uuid_t	tenant = {{0}};

	apply(&grant->key_id, RATE_DEFAULT, grant->rate_limit, 1, &counted, headers);
	if (class == RATE_SIGNED_URLS)
		apply(&grant->key_id, RATE_SIGNED_URLS, grant->signed_url_limit, 1, &counted, headers);
	memcpy(tenant.data, &grant->tenant_id, sizeof(grant->tenant_id));
	apply(&tenant, RATE_TENANT, grant->tenant_limit, 1, &counted, headers);
	if (counted.count > 0)
		write_headers(headers, &counted);
}

/* Of IPv6 the network of 64 bits counts, which is what one client has. */
static pg_uuid_t
address_caller(const char *address)
{
	unsigned char bytes[16];
	const void *counted = address;
	int			length = strlen(address);
	pg_uuid_t	caller = {{0}};

	if (inet_pton(AF_INET6, address, bytes) == 1)
	{
		counted = bytes;
		length = 8;
	}
	for (int i = 0; i < 2; i++)
	{
		uint64		half = hash_bytes_extended(counted, length, (uint64) i + 1);

		memcpy(caller.data + i * sizeof(half), &half, sizeof(half));
	}
	return caller;
}

void
throttle_address(const char *address, bool failed, StringInfo headers)
{
	Counted		counted = {0};
	pg_uuid_t	caller;

	if (address == NULL)
		return;
	caller = address_caller(address);
	apply(&caller, RATE_ADDRESS, address_limit, failed ? FAILURE_WEIGHT : 1, &counted, headers);
	if (counted.count > 0)
		write_headers(headers, &counted);
}
