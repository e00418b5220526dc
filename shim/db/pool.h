/*
 * pool.h
 *	  The connections of one event loop to PostgreSQL.
 *
 * At most four jobs are in flight on a connection; the others wait in a bounded
 * queue, in turns of their callers.  job->done is called when the outcome is there,
 * always from an event of the loop, pool_tick, pool_withdraw, pool_free or
 * pool_submit of the same thread.
 *
 * What keeps one job from harming another:
 *	- Statements that take long (cost.h) have a connection for themselves, and half
 *	  of the connections at most.
 *	- Jobs behind one that turns out to take long are moved to other connections if
 *	  they may run twice; one that may not is never sent behind another.
 *	- While every connection is held by such, the pool opens more, up to twice as
 *	  many, and closes them again when they are idle.
 *	- A job has a limit.  PostgreSQL keeps it (qehs.endpoint.time_limit); one that has
 *	  not ended an eighth of it later is cancelled from here, and after a quarter its
 *	  connection is closed.  It waits for a connection for half of it, and 10 s at most.
 */
#ifndef QEHS_POOL_H
#define QEHS_POOL_H

#include "db/job.h"

typedef struct Pool Pool;

typedef struct PoolFigures
{
	int			open;
	int			connecting;
	int			in_flight;
	int			waiting;
	bool		failing;		/* it could not connect when it tried last */
} PoolFigures;

/* Where all pools tell what happens to their connections: level ("info", "error") and message; set once at start. */
extern void pool_report_to(void (*to) (const char *level, const char *format,...));

/* Is this a connection string that libpq can read?  Otherwise message says what is wrong. */
extern bool pool_check(const char *conninfo, char *message, size_t size);

/* Connections are opened in the background, and again when they are lost. */
extern Pool *pool_create(const char *conninfo, int connections, int epoll);
/* One connection, opened at once, for which jobs wait, and which is not opened again once it is lost. */
extern Pool *pool_create_single(const char *conninfo, int epoll);
/* Jobs that are not done are lost or refused. */
extern void pool_free(Pool *pool);

extern void pool_submit(Pool *pool, PgJob *job);
/* The same after some nanoseconds. */
extern void pool_submit_later(Pool *pool, PgJob *job, uint64_t delay);
/* Nobody waits for it any more: what is under way is cancelled, and it is soon done. */
extern void pool_withdraw(Pool *pool, PgJob *job);
/* Reconnect, expire and cancel what is due; returns the milliseconds until the next time, or -1. */
extern int	pool_tick(Pool *pool);
extern PoolFigures pool_figures(const Pool *pool);

#endif							/* QEHS_POOL_H */
