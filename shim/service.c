/*
 * service.c
 *	  Four tasks, each a job that is sent again some time after it was done.
 */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/pool.h"
#include "exchange/health.h"
#include "exchange/log.h"
#include "exchange/metrics.h"
#include "keeper.h"

#define CONNECTIONS 2
#define SAME_AGAIN_NS (60 * CLOCK_SECOND)

#define TABLES_SQL "SELECT qehs.endpoint_list(), qehs.problem_list(), extversion," \
	" pg_catalog.pg_has_role('qehs_owner', 'MEMBER') FROM pg_catalog.pg_extension WHERE extname = 'qehs'"
#define PROBE_SQL "SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'qehs')"

typedef enum TaskNumber
{
	ENDPOINTS, PROBE, FIGURES, HOUSEKEEPING, TASK_COUNT
} TaskNumber;

typedef struct ServiceTask
{
	PgJob		job;
	Service    *service;
	TaskNumber	number;
	bool		running;
	bool		again;			/* at once when it is done */
	uint64_t	due;			/* UINT64_MAX: not by itself */
	uint64_t	told_at;		/* when its failure was logged */
	char		told[300];
} ServiceTask;

struct Service
{
	Pool	   *pool;
	Keeper	   *keeper;
	void		(*publish) (Router *router);
	char	   *version;		/* of the extension whose endpoints are loaded; NULL: none are */
	bool		warned;			/* of the role */
	ServiceTask tasks[TASK_COUNT];
};

static const struct
{
	const char *sql;
	uint64_t	limit;
	uint64_t	period;			/* after success */
	uint64_t	again;			/* after failure */
	Task		metric;
	const char *failure;
}			kinds[TASK_COUNT] = {
	[ENDPOINTS] = {TABLES_SQL, 10 * CLOCK_SECOND, UINT64_MAX, CLOCK_SECOND, TASK_ENDPOINTS, "could not load the endpoints"},
	[PROBE] = {PROBE_SQL, CLOCK_SECOND + CLOCK_SECOND / 2, CLOCK_SECOND, CLOCK_SECOND / 4, TASK_PROBE, "could not ask the database"},
	[FIGURES] = {"SELECT qehs.metrics()", 5 * CLOCK_SECOND, 5 * CLOCK_SECOND, 5 * CLOCK_SECOND, TASK_METRICS, "could not run qehs.metrics()"},
	[HOUSEKEEPING] = {"SELECT qehs.tick() ->> 'more'", 60 * CLOCK_SECOND, 5 * CLOCK_SECOND, 5 * CLOCK_SECOND, TASK_TICK, "could not run qehs.tick()"},
};

/* ---- what came ---- */

static char *
copy_text(const char *text)
{
	char	   *copy = strdup(text);

	if (copy == NULL)
		abort();
	return copy;
}

static void
warn_of_role(Service *service, const char *is_owner)
{
	if (service->warned || is_owner == NULL || *is_owner != 't')
		return;
	service->warned = true;
	log_event("error", "the shim has logged in as a superuser or as the owner of the extension, who can read and change everything "
			  "whatever a key allows; use a role that is a member of qehs_shim only");
}

static const char *
take_endpoints(Service *service, const PgJob *job)
{
	static char fault[256];
	size_t		length;
	const char *endpoints = job_column(job, 0, 0, &length);
	const char *problems = job_column(job, 0, 1, &length);
	const char *version = job_column(job, 0, 2, &length);
	Router	   *router;

	if (version == NULL)
		return "the extension qehs is not installed in the database";
	router = router_load(endpoints ? endpoints : "", problems ? problems : "", version, fault, sizeof(fault));
	if (router == NULL)
		return fault;
	free(service->version);
	service->version = copy_text(version);
	warn_of_role(service, job_column(job, 0, 3, &length));
	log_event("info", "loaded %d endpoints of qehs %s", router->endpoint_count, router->version);
	service->publish(router);
	router_release(router);
	for (int i = FIGURES; i < TASK_COUNT; i++)
		if (service->tasks[i].due == UINT64_MAX)
			service->tasks[i].due = clock_now() + (i == FIGURES ? 0 : kinds[i].period);
	return NULL;
}

/* A version that has not been seen is that of other endpoints. */
static void
take_probe(Service *service, const PgJob *job)
{
	size_t		length;
	const char *version = job_text(job, 0, &length);

	health_heard(version);
	metrics_heard(true);
	if (version && service->version && strcmp(version, service->version) != 0)
		service_reload(service);
}

/* Returns NULL, or what is wrong with the answer. */
static const char *
take_answer(ServiceTask *task)
{
	Service    *service = task->service;
	size_t		length;
	const char *text;

	switch (task->number)
	{
		case ENDPOINTS:
			return take_endpoints(service, &task->job);
		case PROBE:
			take_probe(service, &task->job);
			return NULL;
		case FIGURES:
			metrics_database(job_text(&task->job, 0, &length));
			return NULL;
		default:
			text = job_text(&task->job, 0, &length);
			/* there is more to do than a run does */
			if (text && strcmp(text, "true") == 0)
				task->due = clock_now() + CLOCK_SECOND;
			return NULL;
	}
}

static const char *
why_failed(const PgJob *job)
{
	switch (job->outcome)
	{
		case PG_FAILED:
			return job->error.message ? job->error.message : "the database gave no reason";
		case PG_LATE:
			return "the database did not answer within the time limit";
		case PG_LOST:
			return "the connection to the database broke";
		default:
			return "the database cannot be reached";
	}
}

/* The same reason is logged once a minute; that the database is away is told by the pool. */
static void
tell_failure(ServiceTask *task, const char *why)
{
	uint64_t	now = clock_now();

	metrics_failed(kinds[task->number].metric);
	if (task->number == FIGURES)
		metrics_database(NULL);
	if (task->number == PROBE && task->job.outcome != PG_REFUSED)
		metrics_heard(false);
	if (task->job.outcome == PG_REFUSED || (strcmp(why, task->told) == 0 && now < task->told_at + SAME_AGAIN_NS))
		return;
	snprintf(task->told, sizeof(task->told), "%s", why);
	task->told_at = now;
	log_event("error", "%s: %s", kinds[task->number].failure, why);
}

static void
task_done(PgJob *job)
{
	ServiceTask *task = job->owner;
	uint64_t	period = kinds[task->number].period;
	const char *why;

	task->running = false;
	task->due = period == UINT64_MAX ? UINT64_MAX : clock_now() + period;
	why = job->outcome == PG_DONE ? take_answer(task) : why_failed(job);
	if (why)
	{
		tell_failure(task, why);
		task->due = clock_now() + kinds[task->number].again;
	}
	if (task->again)
		task->due = 0;
	task->again = false;
	job_free(job);
}

/* ---- when ---- */

Service *
service_create(const Config *config, int epoll, void (*publish) (Router *router))
{
	Service    *service = calloc(1, sizeof(Service));

	if (service == NULL)
		abort();
	service->publish = publish;
	service->pool = pool_create(config->db, CONNECTIONS, epoll);
	service->keeper = keeper_create(config, epoll, service->pool);
	for (int i = 0; i < TASK_COUNT; i++)
	{
		ServiceTask *task = &service->tasks[i];

		task->service = service;
		task->number = (TaskNumber) i;
		/* figures and housekeeping begin once there is an extension to ask */
		task->due = i <= PROBE ? 0 : UINT64_MAX;
	}
	return service;
}

void
service_reload(Service *service)
{
	service->tasks[ENDPOINTS].due = 0;
	service->tasks[ENDPOINTS].again = service->tasks[ENDPOINTS].running;
}

static void
start_task(ServiceTask *task)
{
	task->running = true;
	task->job = (PgJob) {.count = 1,.done = task_done,.owner = task,.caller = (uint32_t) task->number,
		.limit = kinds[task->number].limit,.statements = {{.text = pg_text(kinds[task->number].sql)}}};
	pool_submit(task->service->pool, &task->job);
}

int
service_tick(Service *service)
{
	uint64_t	now = clock_now();
	uint64_t	next = now + 60 * CLOCK_SECOND;
	int			pool_next = pool_tick(service->pool);
	int			left;

	for (int i = 0; i < TASK_COUNT; i++)
	{
		ServiceTask *task = &service->tasks[i];

		if (task->running || task->due > now)
			;
		else if (pool_figures(service->pool).open > 0)
			start_task(task);
		else if (i == FIGURES)
		{
			/* while the pool is not open there is nobody to ask */
			metrics_database(NULL);
			metrics_failed(TASK_METRICS);
			task->due = now + kinds[i].period;
		}
		if (!task->running && task->due > now && task->due < next)
			next = task->due;
	}
	left = next > now ? (int) ((next - now) / 1000000 + 1) : 0;
	if (service->version)
	{
		int			keeper_next = keeper_tick(service->keeper);

		left = keeper_next < left ? keeper_next : left;
	}
	return pool_next >= 0 && pool_next < left ? pool_next : left;
}

void
service_free(Service *service)
{
	pool_free(service->pool);
	keeper_free(service->keeper);
	free(service->version);
	free(service);
}
