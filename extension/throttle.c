/*
 * throttle.c
 *	  Limits of keys and addresses, X-RateLimit-* and the fields of
 *	  draft-ietf-httpapi-ratelimit-headers (RateLimit-Policy, RateLimit).
 */
#include "compat.h"

#include "common/hashfn.h"
#include "error.h"
#include "json.h"
#include "throttle.h"
#include "utils/guc.h"

#define FAILURE_WEIGHT 2

static int	address_limit = 300;

static const char *const class_names[RATE_CLASS_COUNT] = {
	[RATE_DEFAULT] = "default",
	[RATE_SIGNED_URLS] = "signed-urls",
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

static void
write_headers(StringInfo headers, RateClass class, const RateVerdict *verdict)
{
	appendStringInfo(headers,
					 "X-RateLimit-Limit: %d\nX-RateLimit-Remaining: %d\nX-RateLimit-Reset: " INT64_FORMAT "\n"
					 "RateLimit-Policy: \"%s\";q=%d;w=60\nRateLimit: \"%s\";r=%d;t=%d\n",
					 verdict->limit, verdict->remaining, verdict->reset, class_names[class], verdict->limit,
					 class_names[class], verdict->remaining, verdict->wait);
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

static void
apply(const pg_uuid_t *caller, RateClass class, int32 limit, int32 weight, StringInfo headers)
{
	RateVerdict verdict;

	if (limit == 0)
		return;
	ratelimit_count(caller, class, limit, weight, &verdict);
	resetStringInfo(headers);
	write_headers(headers, class, &verdict);
	if (verdict.allowed)
		return;
	appendStringInfo(headers, "Retry-After: %d\n", verdict.wait);
	problem_raise_detail(PROBLEM_RATE_LIMITED, throttle_headers_json(headers->data),
						 "Wait as long as Retry-After says.",
						 class == RATE_ADDRESS ? "the address may send %d requests a minute without a valid API key" :
						 class == RATE_SIGNED_URLS ? "the API key may ask for %d signed URLs a minute" :
						 "the API key may send %d requests a minute", verdict.limit);
}

void
throttle_key(const KeyGrant *grant, RateClass class, StringInfo headers)
{
	apply(&grant->key_id, RATE_DEFAULT, grant->rate_limit, 1, headers);
	if (class == RATE_SIGNED_URLS)
		apply(&grant->key_id, RATE_SIGNED_URLS, grant->signed_url_limit, 1, headers);
}

void
throttle_address(const char *address, bool failed, StringInfo headers)
{
	pg_uuid_t	caller;
	uint64		halves[2];

	if (address == NULL)
		return;
	for (int i = 0; i < 2; i++)
		halves[i] = hash_bytes_extended((const unsigned char *) address, strlen(address), (uint64) i + 1);
	memcpy(caller.data, halves, sizeof(caller.data));
	apply(&caller, RATE_ADDRESS, address_limit, failed ? FAILURE_WEIGHT : 1, headers);
}
