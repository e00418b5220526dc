/*
 * histogram.c
 *	  Buckets from half a millisecond to five seconds.
 */
#include "base/histogram.h"

#include "base/clock.h"

static const double bounds[HISTOGRAM_BOUNDS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};

void
histogram_add(Histogram *histogram, uint64_t nanoseconds)
{
	int			bucket = 0;

	while (bucket < HISTOGRAM_BOUNDS && (double) nanoseconds > bounds[bucket] * (double) CLOCK_SECOND)
		bucket++;
	counter_add(&histogram->buckets[bucket], 1);
	counter_add(&histogram->nanoseconds, nanoseconds);
}

void
histogram_write(Buffer *text, const char *name, const char *labels, const Histogram *histogram)
{
	const char *comma = *labels ? "," : "";
	const char *opening = *labels ? "{" : "";
	const char *closing = *labels ? "}" : "";
	unsigned long long sum = 0;

	for (int i = 0; i < HISTOGRAM_BOUNDS; i++)
	{
		sum += counter_get(&histogram->buckets[i]);
		buffer_format(text, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma, bounds[i], sum);
	}
	sum += counter_get(&histogram->buckets[HISTOGRAM_BOUNDS]);
	buffer_format(text, "%s_bucket{%s%sle=\"+Inf\"} %llu\n%s_sum%s%s%s %.6f\n%s_count%s%s%s %llu\n", name, labels, comma, sum,
				  name, opening, labels, closing, (double) counter_get(&histogram->nanoseconds) / (double) CLOCK_SECOND,
				  name, opening, labels, closing, sum);
}
