/*
 * stream_metrics.h
 *	  What streams have done, for /metrics; from any thread.
 */
#ifndef QEHS_STREAM_METRICS_H
#define QEHS_STREAM_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* A stream begins (1) or has gone (-1). */
extern void stream_metrics_running(int change);
/* Bytes of a body have come, as they were sent. */
extern void stream_metrics_body(size_t bytes);
/* A chunk was at the database for so long. */
extern void stream_metrics_chunk(uint64_t nanoseconds);
/* Lines were answered with an outcome: their status, or "undone" of those that were stored and taken back. */
extern void stream_metrics_lines(const char *outcome, int64_t count);
/* Append all in Prometheus' text format. */
extern void stream_metrics_write(Buffer *text);

#endif							/* QEHS_STREAM_METRICS_H */
