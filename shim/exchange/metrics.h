/*
 * metrics.h
 *	  Counters of all event loops, in Prometheus's text format.
 */
#ifndef QEHS_METRICS_H
#define QEHS_METRICS_H

#include "db/pool.h"
#include "exchange/request.h"

/* Count a finished request; from any thread. */
extern void metrics_count(const Request *request, uint64_t duration);

/* A client connection more (1) or less (-1). */
extern void metrics_connection(int change);

/* A task of service.c went wrong. */
typedef enum Task
{
	TASK_ENDPOINTS, TASK_PROBE, TASK_TICK, TASK_METRICS, TASKS
} Task;

extern void metrics_failed(Task task);

/* Whether the database has answered a probe that reached it. */
extern void metrics_heard(bool answered);

/* The text of qehs.metrics(), which is copied; NULL while the database does not give it. */
extern void metrics_database(const char *text);

/* Write everything; the pool's figures are those of the loop that answers. */
extern void metrics_write(Buffer *text, const Pool *pool);

/* What a folder above has to say in /metrics, in Prometheus' text format; given at start, before any thread. */
typedef void (*MetricsSource) (Buffer *text);
extern void metrics_source(MetricsSource write);

#endif							/* QEHS_METRICS_H */
