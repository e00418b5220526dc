/*
 * stream_metrics.c
 *	  Counters of all threads.  Outcomes are named by the endpoints' functions.
 */
#include "stream/stream_metrics.h"

#include <string.h>

#include "base/histogram.h"
#include "base/named.h"

static int64_t running;
static uint64_t body_bytes;
static Histogram chunks;
static NamedCounters lines = NAMED_COUNTERS;	/* by what became of them */

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

void
stream_metrics_lines(const char *outcome, int64_t count)
{
	counter_add(&named_counter(&lines, outcome, strlen(outcome))->counts[0], (uint64_t) count);
}

void
stream_metrics_write(Buffer *text)
{
	buffer_format(text, "# HELP qehs_streams Bodies and answers that stream now, of all event loops.\n# TYPE qehs_streams gauge\n"
				  "qehs_streams %lld\n# HELP qehs_stream_body_bytes_total Bytes of bodies that stream, as they were sent.\n"
				  "# TYPE qehs_stream_body_bytes_total counter\nqehs_stream_body_bytes_total %llu\n"
				  "# HELP qehs_stream_lines_total Lines of such bodies by what became of them.\n# TYPE qehs_stream_lines_total counter\n",
				  (long long) __atomic_load_n(&running, __ATOMIC_RELAXED), (unsigned long long) counter_get(&body_bytes));
	for (int i = 0; i < named_count(&lines); i++)
		buffer_format(text, "qehs_stream_lines_total{outcome=\"%s\"} %llu\n", lines.all[i].name,
					  (unsigned long long) counter_get(&lines.all[i].counts[0]));
	buffer_text(text, "# HELP qehs_stream_chunk_duration_seconds Time that the database took for a chunk of lines.\n"
				"# TYPE qehs_stream_chunk_duration_seconds histogram\n");
	histogram_write(text, "qehs_stream_chunk_duration_seconds", "", &chunks);
}
