/*
 * health.h
 *	  Is the shim able to serve?  /healthz, /readyz and /metrics.
 *
 * The thread that asks the database tells here what it heard; all event loops
 * answer from it.
 */
#ifndef QEHS_HEALTH_H
#define QEHS_HEALTH_H

#include "exchange/exchange.h"

/* The database has answered now: version is the extension's, or NULL if there is none. */
extern void health_heard(const char *version);
/* The shim will stop soon: it is not ready from now on, but serves. */
extern void health_drain(void);
extern bool health_draining(void);

/* Is this one of the paths, which need neither database nor limit? */
extern bool health_is_path(const Exchange *exchange, const Request *request);
/* Answer such a path; false for others. */
extern bool health_reply(Exchange *exchange, Request *request);

#endif							/* QEHS_HEALTH_H */
