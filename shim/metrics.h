/*
 * metrics.h
 *	  Counters of all event loops, in Prometheus's text format.
 */
#ifndef QEHS_METRICS_H
#define QEHS_METRICS_H

#include "request.h"

/* Count a finished request; from any thread. */
extern void metrics_count(const Request *request, uint64_t duration);

/* Write everything; the pool's figures are those of the loop that answers. */
extern void metrics_write(Buffer *text, const Pool *pool);

#endif							/* QEHS_METRICS_H */
