/*
 * metrics.c
 *	  One table for all threads, counted with relaxed atomic additions.
 *
 * Operations are found by name in a small open table: endpoints may come and go
 * with a reload, their counts stay.
 */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

#define MAX_OPERATIONS 128
#define MAX_STATUS 600
#define BUCKETS 12

static const double bounds[BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};

typedef struct Operation
{
	char		name[64];
	int			taken;			/* 0 free, 1 being named, 2 in use */
	uint64_t	status[MAX_STATUS];
	uint64_t	buckets[BUCKETS + 1];
	uint64_t	nanoseconds;
} Operation;

static Operation operations[MAX_OPERATIONS];

static void
add(uint64_t *counter, uint64_t amount) /* NOLINT(readability-non-const-parameter): the builtin writes */
{
	__atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
}

static uint64_t
get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* The row of a name; the last one takes what does not fit. */
static Operation *
find_operation(const char *name)
{
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

void
metrics_count(const Request *request, uint64_t duration)
{
	Operation  *operation = find_operation(request->endpoint ? request->endpoint->operation : "none");
	int			bucket = 0;

	while (bucket < BUCKETS && (double) duration > bounds[bucket] * (double) CLOCK_SECOND)
		bucket++;
	if (request->reply.status > 0 && request->reply.status < MAX_STATUS)
		add(&operation->status[request->reply.status], 1);
	add(&operation->buckets[bucket], 1);
	add(&operation->nanoseconds, duration);
}

static void
write_requests(Buffer *text, const Operation *operation)
{
	for (int status = 100; status < MAX_STATUS; status++)
		if (get(&operation->status[status]) > 0)
			buffer_format(text, "qehs_http_requests_total{operation=\"%s\",status=\"%d\"} %llu\n", operation->name, status,
						  (unsigned long long) get(&operation->status[status]));
}

static void
write_durations(Buffer *text, const Operation *operation)
{
	unsigned long long sum = 0;

	for (int i = 0; i <= BUCKETS; i++)
	{
		sum += get(&operation->buckets[i]);
		if (i < BUCKETS)
			buffer_format(text, "qehs_http_request_duration_seconds_bucket{operation=\"%s\",le=\"%g\"} %llu\n",
						  operation->name, bounds[i], sum);
	}
	buffer_format(text, "qehs_http_request_duration_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n"
				  "qehs_http_request_duration_seconds_sum{operation=\"%s\"} %.6f\n"
				  "qehs_http_request_duration_seconds_count{operation=\"%s\"} %llu\n",
				  operation->name, sum, operation->name, (double) get(&operation->nanoseconds) / (double) CLOCK_SECOND,
				  operation->name, sum);
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
			write_durations(text, &operations[i]);
	buffer_format(text, "# HELP qehs_database_connections PostgreSQL connections of the answering event loop.\n"
				  "# TYPE qehs_database_connections gauge\n"
				  "qehs_database_connections{state=\"open\"} %d\nqehs_database_connections{state=\"connecting\"} %d\n"
				  "# HELP qehs_database_requests Requests at the database or waiting for it.\n"
				  "# TYPE qehs_database_requests gauge\n"
				  "qehs_database_requests{state=\"in_flight\"} %d\nqehs_database_requests{state=\"waiting\"} %d\n",
				  figures.open, figures.connecting, figures.in_flight, figures.waiting);
}
