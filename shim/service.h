/*
 * service.h
 *	  What the shim does at the database on its own account: it loads the endpoints,
 *	  asks whether the database answers, fetches figures, and runs the extension's
 *	  housekeeping.
 *
 * Everything is a job with a time limit on a small pool of its own, in an event loop
 * of the main thread: whatever the database does, signals are seen.
 */
#ifndef QEHS_SERVICE_H
#define QEHS_SERVICE_H

#include "base/config.h"
#include "exchange/router.h"

typedef struct Service Service;

/* publish is called with each router that has been loaded, which it may hold. */
extern Service *service_create(const Config *config, int epoll, void (*publish) (Router *router));
/* Load the endpoints again, as soon as may be. */
extern void service_reload(Service *service);
/* Start what is due; returns the milliseconds until the next time. */
extern int	service_tick(Service *service);
extern void service_free(Service *service);

#endif							/* QEHS_SERVICE_H */
