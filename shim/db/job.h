/*
 * job.h
 *	  What is to run at the database, and what came of it.
 *
 * A job is up to three prepared statements that run in one pipeline and one
 * transaction.  Its memory is its owner's; its results are freed by job_free.
 */
#ifndef QEHS_JOB_H
#define QEHS_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PG_JOB_STATEMENTS 3
#define PG_STATEMENT_PARAMETERS 40

struct pg_result;

/* An SQL text, of which there is one for all its uses; it lives as long as the process. */
typedef struct PgText
{
	int			number;			/* counted from 0 */
	char		name[24];		/* of the prepared statement, by the number */
	const char *sql;
} PgText;

typedef struct PgStatement
{
	const PgText *text;
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
	PG_LATE,					/* no answer within the limit; what happened is unknown */
	PG_REFUSED,					/* never run: no connection, or too long a queue */
	PG_WITHDRAWN				/* given up by pool_withdraw */
} PgOutcome;

typedef struct PgError
{
	const char *sqlstate;
	const char *constraint;		/* may be NULL, as the following */
	const char *message;
	const char *detail;
	const char *hint;
	const char *datatype;		/* the header lines of a counted request: see qehs.request_begin */
} PgError;

typedef struct PgJob
{
	int			count;
	PgStatement statements[PG_JOB_STATEMENTS];
	void		(*done) (struct PgJob *job);
	void	   *owner;
	uint32_t	caller;			/* whose it is: those who wait are served in turns of their callers */
	uint32_t	kind;			/* what it does: a caller's jobs of one kind are taken to cost the same */
	bool		repeatable;		/* running it twice is as good as once */
	uint64_t	limit;			/* nanoseconds that it may run; 0: without end */

	PgOutcome	outcome;
	PgError		error;
	int			reached;		/* statements that gave their row */
	struct pg_result *results[PG_JOB_STATEMENTS + 1];	/* also that of an error, which may come after the last */
	uint64_t	submitted;		/* monotonic nanoseconds */
	uint64_t	expires;		/* when it will have waited long enough for a connection */
	uint64_t	due;			/* when a delayed job is to be submitted */
	int			moves;			/* from a connection that did not get to it */
	struct PgJob *next;
} PgJob;

/* The one text that is equal to this; from any thread. */
extern const PgText *pg_text(const char *sql);

/* Take over a row or an error: the next result of the job. */
extern void job_take_row(PgJob *job, struct pg_result *result);
extern void job_take_error(PgJob *job, struct pg_result *error);

/* The text of a column of a statement's row; NULL for SQL NULL and where there is none. */
extern const char *job_column(const PgJob *job, int statement, int column, size_t *length);
/* The same of the first column. */
extern const char *job_text(const PgJob *job, int statement, size_t *length);

/* Give the job its outcome; it is the owner's from now on. */
extern void job_finish(PgJob *job, PgOutcome outcome);

/* Free its results; then it may run again. */
extern void job_free(PgJob *job);

#endif							/* QEHS_JOB_H */
