/*
 * stream_metrics.c
 *	  Counters of all threads.  Outcomes are named by the endpoints' functions: a
 *	  small table takes them as they come, and its last row those for which it has
 *	  no room.
 */
#include "stream/stream_metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/histogram.h"

#define MOST_OUTCOMES 16

typedef struct Outcome
{
	char		name[24];
	uint64_t	lines;
} Outcome;

static int64_t running;
static uint64_t body_bytes;
static Histogram chunks;
static pthread_mutex_t naming = PTHREAD_MUTEX_INITIALIZER;
static Outcome outcomes[MOST_OUTCOMES];
static int	outcome_count;		/* of those that have a name */

void
stream_metrics_running(int change)
{
	__atomic_fetch_add(&running, change, __ATOMIC_RELAXED);
}

void
stream_metrics_body(size_t bytes)
{
	counter_add(&body_bytes, bytes);
}

void
stream_metrics_chunk(uint64_t nanoseconds)
{
	histogram_add(&chunks, nanoseconds);
}

static Outcome *
find_outcome(const char *name, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(outcomes[i].name, name) == 0)
			return &outcomes[i];
	return NULL;
}

/* Make a row, unless another thread has been first. */
static Outcome *
name_outcome(const char *name)
{
	Outcome    *outcome;

	pthread_mutex_lock(&naming);
	outcome = find_outcome(name, outcome_count);
	if (outcome == NULL && outcome_count == MOST_OUTCOMES)
		outcome = &outcomes[MOST_OUTCOMES - 1];
	else if (outcome == NULL)
	{
		outcome = &outcomes[outcome_count];
		snprintf(outcome->name, sizeof(outcome->name), "%s", outcome_count == MOST_OUTCOMES - 1 ? "other" : name);
		__atomic_store_n(&outcome_count, outcome_count + 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&naming);
	return outcome;
}

void
stream_metrics_lines(const char *name, int64_t count)
{
	Outcome    *outcome = find_outcome(name, __atomic_load_n(&outcome_count, __ATOMIC_ACQUIRE));

	counter_add(&(outcome ? outcome : name_outcome(name))->lines, (uint64_t) count);
}

void
stream_metrics_write(Buffer *text)
{
	int			count = __atomic_load_n(&outcome_count, __ATOMIC_ACQUIRE);

	buffer_format(text, "# HELP qehs_streams Bodies and answers that stream now, of all event loops.\n# TYPE qehs_streams gauge\n"
				  "qehs_streams %lld\n# HELP qehs_stream_body_bytes_total Bytes of bodies that stream, as they were sent.\n"
				  "# TYPE qehs_stream_body_bytes_total counter\nqehs_stream_body_bytes_total %llu\n"
				  "# HELP qehs_stream_lines_total Lines of such bodies by what became of them.\n# TYPE qehs_stream_lines_total counter\n",
				  (long long) __atomic_load_n(&running, __ATOMIC_RELAXED), (unsigned long long) counter_get(&body_bytes));
	for (int i = 0; i < count; i++)
		buffer_format(text, "qehs_stream_lines_total{outcome=\"%s\"} %llu\n", outcomes[i].name, (unsigned long long) counter_get(&outcomes[i].lines));
	buffer_text(text, "# HELP qehs_stream_chunk_duration_seconds Time that the database took for a chunk of lines.\n"
				"# TYPE qehs_stream_chunk_duration_seconds histogram\n");
	histogram_write(text, "qehs_stream_chunk_duration_seconds", "", &chunks);
}
