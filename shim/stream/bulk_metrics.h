/*
 * bulk_metrics.h
 *	  What bulk loads have done, for /metrics; from any thread.
 */
#ifndef QEHS_BULK_METRICS_H
#define QEHS_BULK_METRICS_H

#include <stddef.h>

#include "base/arena.h"
#include "stream/answer.h"

/* A load begins (1) or has gone (-1). */
extern void bulk_metrics_running(int change);
/* Bytes of a body have come, as they were sent. */
extern void bulk_metrics_body(size_t bytes);
/* A chunk was at the database for so long. */
extern void bulk_metrics_chunk(uint64_t nanoseconds);
/* Lines were answered; undone: those that were stored have been taken back. */
extern void bulk_metrics_lines(const LineCounts *counts, bool undone);
extern void bulk_metrics_write(Buffer *text);

#endif							/* QEHS_BULK_METRICS_H */
