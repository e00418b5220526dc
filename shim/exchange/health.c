/*
 * health.c
 *	  What was heard of the database last, in atomics.
 */
#include "exchange/health.h"

#include <string.h>

#include "base/clock.h"
#include "exchange/problem.h"
#include "exchange/reply.h"

#define SILENCE_NS (5 * CLOCK_SECOND)

typedef enum Extension
{
	MISSING, OTHER, SAME
} Extension;

static uint64_t heard_at;
static int	extension;
static bool draining;

void
health_heard(const char *version)
{
	Extension	found = version == NULL ? MISSING : strcmp(version, QEHS_VERSION) == 0 ? SAME : OTHER;

	__atomic_store_n(&extension, found, __ATOMIC_RELAXED);
	__atomic_store_n(&heard_at, clock_now(), __ATOMIC_RELEASE);
}

void
health_drain(void)
{
	__atomic_store_n(&draining, true, __ATOMIC_RELAXED);
}

bool
health_draining(void)
{
	return __atomic_load_n(&draining, __ATOMIC_RELAXED);
}

bool
health_is_path(const Exchange *exchange, const Request *request)
{
	const char *path = request->path;

	if (path == NULL)
		return false;
	if (strcmp(path, "/metrics") == 0)
		return request->for_metrics || *exchange->config->metrics_listen == '\0';
	return strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0;
}

/* Why the shim is not ready; NULL: it is. */
static const char *
why_not(const Exchange *exchange, const Request *request)
{
	uint64_t	heard = __atomic_load_n(&heard_at, __ATOMIC_ACQUIRE);
	Extension	found = (Extension) __atomic_load_n(&extension, __ATOMIC_RELAXED);

	if (exchange->stopping || health_draining())
		return "the server is stopping";
	if (heard == 0 || clock_now() > heard + SILENCE_NS)
		return "the database has not answered within 5 seconds";
	if (found == MISSING)
		return "the extension qehs is not installed in the database";
	if (found == OTHER)
		return "the extension in the database has another version than the server, which is " QEHS_VERSION;
	if (request->router == NULL || pool_figures(exchange->pool).open == 0)
		return "the database cannot be reached";
	return NULL;
}

static void
reply_state(const Exchange *exchange, Request *request, bool ready)
{
	Buffer		body = {.arena = &request->arena};
	const char *why = ready ? why_not(exchange, request) : NULL;

	if (why)
	{
		problem_reply(request, "unavailable", 0, why, NULL);
		return;
	}
	if (ready)
		buffer_format(&body, "{\"status\":\"ready\",\"extensionVersion\":\"%s\",\"version\":\"" QEHS_VERSION "\"}",
					  request->router->version);
	else
		buffer_text(&body, "{\"status\":\"ok\"}");
	request->reply.status = 200;
	request->reply.body = body.data;
	request->reply.length = body.length;
}

bool
health_reply(Exchange *exchange, Request *request)
{
	if (!health_is_path(exchange, request))
		return false;
	if (problem_unless_read(request))
		return true;
	if (strcmp(request->path, "/metrics") == 0)
		reply_metrics(request, exchange->pool);
	else
		reply_state(exchange, request, strcmp(request->path, "/readyz") == 0);
	return true;
}
