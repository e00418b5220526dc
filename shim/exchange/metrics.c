/*
 * metrics.c
 *	  One table for all threads, counted with relaxed atomic additions.
 *
 * Operations are found by name in a small open table: endpoints may come and go
 * with a reload, their counts stay.
 */
#include "exchange/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/histogram.h"
#include "base/named.h"

#define MAX_OPERATIONS 128
#define MAX_STATUS 600
#define MAX_SOURCES 4

typedef enum Outcome
{
	EXECUTED, REPLAYED, IN_PROGRESS, KEY_CONFLICT, FAILED, OUTCOMES
} Outcome;

static const char *const outcomes[OUTCOMES] = {"executed", "replayed", "in_progress", "conflict", "failed"};

static NamedCounters limited = NAMED_COUNTERS;	/* passed and refused, by the policies of RateLimit */
static uint64_t keyed[OUTCOMES];

static const char *const task_names[TASKS] = {"endpoints", "probe", "tick", "metrics"};

static uint64_t failures[TASKS];
static MetricsSource sources[MAX_SOURCES];
static int	source_count;
static int64_t connections;

/* What the main thread fetched last. */
static pthread_mutex_t database_lock = PTHREAD_MUTEX_INITIALIZER;
static char *database_text;
static bool silent;				/* atomic: the last probe that reached the database had no answer */

typedef struct Operation
{
	char		name[64];
	char		labels[320];	/* operation, method and route */
	int			taken;			/* 0 free, 1 being named, 2 in use */
	uint64_t	status[MAX_STATUS];
	Histogram	durations;
} Operation;

static Operation operations[MAX_OPERATIONS];

/* The row of an endpoint, or of what is none; the last one takes what does not fit. */
static Operation *
find_operation(const Endpoint *endpoint)
{
	const char *name = endpoint ? endpoint->operation : "none";
	unsigned	hash = 5381;

	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char) *c;
	for (unsigned i = 0; i < MAX_OPERATIONS - 1; i++)
	{
		Operation  *operation = &operations[(hash + i) % (MAX_OPERATIONS - 1)];
		int			free_slot = 0;

		if (__atomic_compare_exchange_n(&operation->taken, &free_slot, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		{
			snprintf(operation->name, sizeof(operation->name), "%s", name);
			snprintf(operation->labels, sizeof(operation->labels), "operation=\"%s\",method=\"%s\",route=\"%s\"", name,
					 endpoint ? endpoint->method : "none", endpoint ? endpoint->path : "none");
			__atomic_store_n(&operation->taken, 2, __ATOMIC_RELEASE);
			return operation;
		}
		while (__atomic_load_n(&operation->taken, __ATOMIC_ACQUIRE) == 1)
			;
		if (strcmp(operation->name, name) == 0)
			return operation;
	}
	return &operations[MAX_OPERATIONS - 1];
}

static const char *
find_header(const Reply *reply, const char *name)
{
	for (int i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return NULL;
}

/* A list of "policy";r=…;t=… in the order in which they were looked at: one that refused is the last. */
static void
count_limit(const Reply *reply)
{
	const char *at = find_header(reply, "RateLimit");

	while (at && *at == '"')
	{
		const char *end = strchr(at + 1, '"');
		const char *next = end ? strstr(end, ", \"") : NULL;

		if (end == NULL)
			return;
		counter_add(&named_counter(&limited, at + 1, (size_t) (end - at - 1))->counts[next == NULL && reply->status == 429], 1);
		at = next ? next + 2 : NULL;
	}
}

static void
count_key(const Request *request)
{
	const PgError *error = &request->job.error;
	const char *code = request->job.outcome == PG_FAILED && error->constraint ? error->constraint : "";
	Outcome		outcome = request->reply.status < 400 ? EXECUTED : FAILED;

	if (!request->keyed)
		return;
	if (find_header(&request->reply, "Idempotency-Replayed"))
		outcome = REPLAYED;
	else if (strcmp(code, "idempotency_key_in_progress") == 0)
		outcome = IN_PROGRESS;
	else if (strcmp(code, "idempotency_key_conflict") == 0)
		outcome = KEY_CONFLICT;
	counter_add(&keyed[outcome], 1);
}

void
metrics_count(const Request *request, uint64_t duration)
{
	Operation  *operation = find_operation(request->endpoint);

	if (request->reply.status > 0 && request->reply.status < MAX_STATUS)
		counter_add(&operation->status[request->reply.status], 1);
	histogram_add(&operation->durations, duration);
	count_limit(&request->reply);
	count_key(request);
}

static void
write_requests(Buffer *text, const Operation *operation)
{
	for (int status = 100; status < MAX_STATUS; status++)
		if (counter_get(&operation->status[status]) > 0)
			buffer_format(text, "qehs_http_requests_total{%s,status=\"%d\"} %llu\n", operation->labels, status,
						  (unsigned long long) counter_get(&operation->status[status]));
}

static void
write_limits(Buffer *text)
{
	buffer_text(text, "# HELP qehs_rate_limit_requests_total Requests counted against a rate limit.\n"
				"# TYPE qehs_rate_limit_requests_total counter\n");
	for (int i = 0; i < named_count(&limited); i++)
		for (int refused = 0; refused < 2; refused++)
			buffer_format(text, "qehs_rate_limit_requests_total{policy=\"%s\",outcome=\"%s\"} %llu\n", limited.all[i].name,
						  refused ? "refused" : "passed", (unsigned long long) counter_get(&limited.all[i].counts[refused]));
	buffer_text(text, "# HELP qehs_idempotency_requests_total Requests with an Idempotency-Key.\n"
				"# TYPE qehs_idempotency_requests_total counter\n");
	for (int i = 0; i < OUTCOMES; i++)
		buffer_format(text, "qehs_idempotency_requests_total{outcome=\"%s\"} %llu\n", outcomes[i],
					  (unsigned long long) counter_get(&keyed[i]));
}

void
metrics_connection(int change)
{
	__atomic_fetch_add(&connections, change, __ATOMIC_RELAXED);
}

void
metrics_source(MetricsSource write)
{
	if (source_count == MAX_SOURCES)
		abort();
	sources[source_count++] = write;
}

void
metrics_failed(Task task)
{
	counter_add(&failures[task], 1);
}

void
metrics_database(const char *text)
{
	char	   *copy = text ? strdup(text) : NULL;
	char	   *old;

	pthread_mutex_lock(&database_lock);
	old = database_text;
	database_text = copy;
	pthread_mutex_unlock(&database_lock);
	free(old);
}

void
metrics_heard(bool answered)
{
	__atomic_store_n(&silent, !answered, __ATOMIC_RELAXED);
}

/* Whether it is up its connections say: what it gives is asked for by another one, which may be refused while they are served. */
static void
write_database(Buffer *text, const PoolFigures *figures)
{
	bool		up = figures->open > 0 && !__atomic_load_n(&silent, __ATOMIC_RELAXED);

	pthread_mutex_lock(&database_lock);
	buffer_format(text, "# HELP qehs_database_up Whether a connection is open and the last probe was answered.\n"
				  "# TYPE qehs_database_up gauge\nqehs_database_up %d\n", up);
	/* what was told before it went away is not told of the one that comes back */
	if (!up)
	{
		free(database_text);
		database_text = NULL;
	}
	if (database_text)
		buffer_text(text, database_text);
	pthread_mutex_unlock(&database_lock);
	buffer_text(text, "# HELP qehs_task_failures_total Background tasks of the shim that failed; its log says why.\n"
				"# TYPE qehs_task_failures_total counter\n");
	for (int i = 0; i < TASKS; i++)
		buffer_format(text, "qehs_task_failures_total{task=\"%s\"} %llu\n", task_names[i], (unsigned long long) counter_get(&failures[i]));
}

static long
count_files(void)
{
	DIR		   *folder = opendir("/proc/self/fd");
	long		count = -3;		/* . and .. and the folder itself */

	/* cppcheck-suppress readdirCalled; the stream is this call's own */
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count < 0 ? 0 : count;
}

/* Field 22 of /proc/self/stat, in ticks since the start of the system, and /proc/stat's time of that. */
static double
start_time(void)
{
	char		line[1024];
	unsigned long long started = 0;
	long long	boot = 0;
	FILE	   *file = fopen("/proc/self/stat", "re");

	if (file && fgets(line, sizeof(line), file) && strrchr(line, ')'))
		/* NOLINTNEXTLINE(cert-err34-c) */
		(void) sscanf(strrchr(line, ')') + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s"
					  " %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &started);
	if (file)
		fclose(file);
	file = fopen("/proc/stat", "re");
	while (file && boot == 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, "btime ", 6) == 0)
			boot = strtoll(line + 6, NULL, 10);
	if (file)
		fclose(file);
	return (double) boot + (double) started / (double) sysconf(_SC_CLK_TCK);
}

static long long
resident_pages(void)
{
	long long	resident = 0;
	FILE	   *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%*s %lld", &resident) != 1)	/* NOLINT(cert-err34-c) */
		resident = 0;
	if (file)
		fclose(file);
	return resident;
}

/* The process metrics that every Prometheus client library gives. */
static void
write_process(Buffer *text)
{
	struct rusage usage;
	struct rlimit files;

	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &files);
	buffer_format(text, "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n"
				  "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.6f\n"
				  "# HELP process_resident_memory_bytes Resident memory size in bytes.\n"
				  "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %lld\n"
				  "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n"
				  "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.2f\n"
				  "# HELP process_open_fds Number of open file descriptors.\n"
				  "# TYPE process_open_fds gauge\nprocess_open_fds %ld\n"
				  "# HELP process_max_fds Maximum number of open file descriptors.\n"
				  "# TYPE process_max_fds gauge\nprocess_max_fds %llu\n",
				  (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
				  resident_pages() * sysconf(_SC_PAGESIZE), start_time(), count_files(), (unsigned long long) files.rlim_cur);
}

void
metrics_write(Buffer *text, const Pool *pool)
{
	PoolFigures figures = pool_figures(pool);

	buffer_text(text, "# HELP qehs_build_info Version of the shim.\n# TYPE qehs_build_info gauge\n"
				"qehs_build_info{version=\"" QEHS_VERSION "\"} 1\n"
				"# HELP qehs_http_requests_total Requests answered.\n# TYPE qehs_http_requests_total counter\n");
	for (int i = 0; i < MAX_OPERATIONS; i++)
		if (__atomic_load_n(&operations[i].taken, __ATOMIC_ACQUIRE) == 2)
			write_requests(text, &operations[i]);
	buffer_text(text, "# HELP qehs_http_request_duration_seconds Time from the request's head to its answer.\n"
				"# TYPE qehs_http_request_duration_seconds histogram\n");
	for (int i = 0; i < MAX_OPERATIONS; i++)
		if (__atomic_load_n(&operations[i].taken, __ATOMIC_ACQUIRE) == 2)
			histogram_write(text, "qehs_http_request_duration_seconds", operations[i].labels, &operations[i].durations);
	write_limits(text);
	for (int i = 0; i < source_count; i++)
		sources[i] (text);
	buffer_format(text, "# HELP qehs_database_connections PostgreSQL connections of the answering event loop.\n"
				  "# TYPE qehs_database_connections gauge\n"
				  "qehs_database_connections{state=\"open\"} %d\nqehs_database_connections{state=\"connecting\"} %d\n"
				  "# HELP qehs_database_requests Requests at the database or waiting for it.\n"
				  "# TYPE qehs_database_requests gauge\n"
				  "qehs_database_requests{state=\"in_flight\"} %d\nqehs_database_requests{state=\"waiting\"} %d\n",
				  figures.open, figures.connecting, figures.in_flight, figures.waiting);
	buffer_format(text, "# HELP qehs_http_connections Client connections that are open, of all event loops.\n"
				  "# TYPE qehs_http_connections gauge\nqehs_http_connections %lld\n",
				  (long long) __atomic_load_n(&connections, __ATOMIC_RELAXED));
	write_database(text, &figures);
	write_process(text);
}
