/*
 * repeat.c
 *	  The errors after which a request runs again, and how long they are waited out.
 */
#include "exchange/repeat.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/headers.h"

#define MAX_RETRIES 3
#define MAX_WAIT_SECONDS 30

static bool
body_has(const Request *request, const char *text)
{
	return memmem(REQUEST_BODY(request), request->body_length, text, strlen(text)) != NULL;
}

bool
repeat_is_harmless(const Request *request)
{
	if (!headers_change_things(request))
		return true;
	return request->endpoint && request->endpoint->error_form == FORM_GRAPHQL && request->body_length > 0 && !body_has(request, "mutation") &&
		!body_has(request, "\\u") && !body_has(request, "persistedQuery");
}

static int
seconds_preferred(const char *text)
{
	long		seconds = strtol(text, NULL, 10);

	return seconds < 0 ? 0 : seconds > MAX_WAIT_SECONDS ? MAX_WAIT_SECONDS : (int) seconds;
}

uint64_t
repeat_delay(Request *request)
{
	const PgError *error = &request->job.error;
	const char *prefer;

	request->moved |= request->job.moves > 0;
	if (request->job.outcome != PG_FAILED)
		return 0;
	if (strcmp(error->sqlstate, "40001") == 0 || strcmp(error->sqlstate, "40P01") == 0)
		return request->attempts++ < MAX_RETRIES &&
			(repeat_is_harmless(request) || request_header(request, "Idempotency-Key")) ?
			CLOCK_SECOND / 100 * (uint64_t) request->attempts + clock_now() % (CLOCK_SECOND / 100) : 0;
	if (error->constraint == NULL || strcmp(error->constraint, "idempotency_key_in_progress") != 0)
		return 0;
	/* a twin of its own, which the pool left behind: its answer is the one to give */
	if (request->moved && clock_now() - request->started < request->job.limit)
		return CLOCK_SECOND / 20;
	prefer = request_header(request, "Prefer");
	prefer = prefer ? strcasestr(prefer, "wait=") : NULL;
	if (prefer && clock_now() - request->started < CLOCK_SECOND * (uint64_t) seconds_preferred(prefer + 5))
		return CLOCK_SECOND / 20;
	return 0;
}
