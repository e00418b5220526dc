/*
 * pg.h
 *	  The connections of one event loop to PostgreSQL.
 *
 * A job is up to three prepared statements that run in one pipeline and one
 * transaction.  At most two jobs are in flight on a connection; the others wait
 * in a bounded queue.  job->done is called when the outcome is there, always
 * from an event of the loop, pool_tick or pool_submit of the same thread.
 */
#ifndef QEHS_PG_H
#define QEHS_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PG_JOB_STATEMENTS 3
#define PG_STATEMENT_PARAMETERS 24

struct pg_result;

typedef struct PgStatement
{
	int			slot;			/* names it: one SQL text has one slot in a generation */
	const char *sql;
	int			count;
	const char *values[PG_STATEMENT_PARAMETERS];
	int			lengths[PG_STATEMENT_PARAMETERS];
	int			formats[PG_STATEMENT_PARAMETERS];	/* 1: binary */
} PgStatement;

typedef enum PgOutcome
{
	PG_DONE,					/* all statements gave a row */
	PG_FAILED,					/* an ERROR: see error */
	PG_LOST,					/* the connection broke; what happened is unknown */
	PG_REFUSED					/* never sent: no connection, or the queue is full */
} PgOutcome;

typedef struct PgError
{
	const char *sqlstate;
	const char *constraint;		/* may be NULL, as the following */
	const char *message;
	const char *detail;
	const char *hint;
} PgError;

typedef struct PgJob
{
	int			generation;		/* of the SQL texts: a higher one makes statements anew */
	int			count;
	PgStatement statements[PG_JOB_STATEMENTS];
	void		(*done) (struct PgJob *job);
	void	   *owner;

	PgOutcome	outcome;
	PgError		error;
	int			reached;		/* statements that gave their row */
	struct pg_result *results[PG_JOB_STATEMENTS + 1];	/* also that of an error, which may come after the last */
	uint64_t	submitted;		/* monotonic nanoseconds */
	uint64_t	due;			/* when a delayed job is to be submitted */
	struct PgJob *next;
} PgJob;

typedef struct Pool Pool;

typedef struct PoolFigures
{
	int			open;
	int			connecting;
	int			in_flight;
	int			waiting;
} PoolFigures;

/* Connections are opened in the background; epoll gets their sockets, each with a Watcher. */
extern Pool *pool_create(const char *conninfo, int connections, int epoll);
/* One connection, opened at once, for which jobs wait, and which is not opened again once it is lost. */
extern Pool *pool_create_single(const char *conninfo, int epoll);
extern void pool_free(Pool *pool);
extern void pool_submit(Pool *pool, PgJob *job);
/* The same after some nanoseconds. */
extern void pool_submit_later(Pool *pool, PgJob *job, uint64_t delay);
/* Reconnect and expire what is due; gives the milliseconds until the next time, or -1. */
extern int	pool_tick(Pool *pool);
extern PoolFigures pool_figures(const Pool *pool);

/* The text of the single column of a statement's row; NULL for SQL NULL. */
extern const char *job_text(const PgJob *job, int statement, size_t *length);
extern void job_free(PgJob *job);

/*
 * Run a query on a connection of its own and wait for it: used at start and
 * reload only.  The columns of the one row go to values, each to be freed; false
 * with a message on failure.
 */
extern bool pg_query_row(const char *conninfo, const char *sql, int columns, char **values, char *message, size_t size);

#endif							/* QEHS_PG_H */
