/*
 * loop.h
 *	  One event loop: a thread with its own HTTP server and its own connections
 *	  to PostgreSQL.  Loops share nothing but the router, the log and the metrics.
 */
#ifndef QEHS_LOOP_H
#define QEHS_LOOP_H

#include <stdbool.h>

#include "base/config.h"
#include "exchange/router.h"

typedef struct Loop Loop;

/* Start a thread that serves the bound socket, and the one for metrics unless it is -1; the first one logs that all listen. */
extern Loop *loop_start(const Config *config, int listener, int metrics_listener, bool first);
/* Hand over a new router; the loop takes its own reference. */
extern void loop_set_router(Loop *loop, Router *router);
/* Stop accepting, finish what runs, and wait for the thread's end. */
extern void loop_stop(Loop *loop);
extern void loop_join(Loop *loop);

#endif							/* QEHS_LOOP_H */
