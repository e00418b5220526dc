/*
 * bulk_metrics.c
 *	  Counters of all threads.
 */
#include "stream/bulk_metrics.h"

#include "base/histogram.h"

/* A line of an atomic load that was rolled back is neither created nor updated. */
#define UNDONE LINE_OUTCOMES

static const char *const outcomes[LINE_OUTCOMES + 1] = {
	[LINE_CREATED] = "created",[LINE_UPDATED] = "updated",[LINE_REPLAYED] = "replayed",[LINE_VALID] = "valid",
	[LINE_FAILED] = "failed",[UNDONE] = "undone"
};

static int64_t running;
static uint64_t body_bytes;
static uint64_t lines[LINE_OUTCOMES + 1];
static Histogram chunks;

void
bulk_metrics_running(int change)
{
	__atomic_fetch_add(&running, change, __ATOMIC_RELAXED);
}

void
bulk_metrics_body(size_t bytes)
{
	counter_add(&body_bytes, bytes);
}

void
bulk_metrics_chunk(uint64_t nanoseconds)
{
	histogram_add(&chunks, nanoseconds);
}

void
bulk_metrics_lines(const LineCounts *counts, bool undone)
{
	for (int i = 0; i < LINE_OUTCOMES; i++)
		counter_add(&lines[undone && (i == LINE_CREATED || i == LINE_UPDATED) ? UNDONE : i], (uint64_t) counts->of[i]);
}

void
bulk_metrics_write(Buffer *text)
{
	buffer_format(text, "# HELP qehs_bulk_loads Bulk loads that run, of all event loops.\n# TYPE qehs_bulk_loads gauge\n"
				  "qehs_bulk_loads %lld\n# HELP qehs_bulk_body_bytes_total Bytes of the bodies of bulk loads, as they were sent.\n"
				  "# TYPE qehs_bulk_body_bytes_total counter\nqehs_bulk_body_bytes_total %llu\n"
				  "# HELP qehs_bulk_lines_total Lines of bulk loads by what became of them.\n# TYPE qehs_bulk_lines_total counter\n",
				  (long long) __atomic_load_n(&running, __ATOMIC_RELAXED), (unsigned long long) counter_get(&body_bytes));
	for (int i = 0; i <= LINE_OUTCOMES; i++)
		buffer_format(text, "qehs_bulk_lines_total{outcome=\"%s\"} %llu\n", outcomes[i], (unsigned long long) counter_get(&lines[i]));
	buffer_text(text, "# HELP qehs_bulk_chunk_duration_seconds Time that the database took for a chunk of lines.\n"
				"# TYPE qehs_bulk_chunk_duration_seconds histogram\n");
	histogram_write(text, "qehs_bulk_chunk_duration_seconds", "", &chunks);
}
