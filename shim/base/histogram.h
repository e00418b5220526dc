/*
 * histogram.h
 *	  Counters of all threads, and histograms of durations made of them.
 */
#ifndef QEHS_HISTOGRAM_H
#define QEHS_HISTOGRAM_H

#include <stdint.h>

#include "base/arena.h"

#define HISTOGRAM_BOUNDS 12

typedef struct Histogram
{
	uint64_t	buckets[HISTOGRAM_BOUNDS + 1];
	uint64_t	nanoseconds;
} Histogram;

static inline void
counter_add(uint64_t *counter, uint64_t amount) /* NOLINT(readability-non-const-parameter): the builtin writes */
{
	__atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
}

static inline uint64_t
counter_get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

extern void histogram_add(Histogram *histogram, uint64_t nanoseconds);
/* Write its lines in Prometheus's text format; labels is what stands between braces, and may be empty. */
extern void histogram_write(Buffer *text, const char *name, const char *labels, const Histogram *histogram);

#endif							/* QEHS_HISTOGRAM_H */
