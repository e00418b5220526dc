/*
 * load.h
 *	  The chunks of a body of lines at the database, on a connection of their own:
 *	  what the endpoint's first function takes and a transaction of all chunks
 *	  belong to a session.
 *
 * Chunks settle in the order of their lines.  Events come from within load_send,
 * load_end and load_release too, and not after load_leave.
 */
#ifndef QEHS_LOAD_H
#define QEHS_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "db/pool.h"
#include "exchange/router.h"
#include "stream/lines.h"

#define LOAD_MAX_SENT 2

typedef struct Load Load;

/* Which functions take the lines, and how.  The endpoint and all values live as long as the load's requests. */
typedef struct LoadTarget
{
	const Endpoint *endpoint;
	const PgText *request_end;	/* and ends with this */
	PgStatement begin;			/* each chunk starts with it */
	PgStatement arguments;		/* values of the endpoint's parameters, in their order */
	const LineReader *reader;	/* what the lines are read by */
	bool		transaction;	/* all chunks are one */
	bool		in_turns;		/* a chunk must not run before the one ahead has ended well */
} LoadTarget;

typedef struct LoadEvents
{
	/* A chunk has settled: text is its answer, NULL when the job failed. */
	void		(*chunk) (void *owner, const Lines *lines, const PgJob *job, const char *text, size_t length);
	/* After that, or none while an older one is under way: took is how long the database worked. */
	void		(*round) (void *owner, uint64_t took);
	/* BEGIN, COMMIT or ROLLBACK failed. */
	void		(*failed) (void *owner, const PgJob *job);
	/* What load_end began is over. */
	void		(*ended) (void *owner);
} LoadEvents;

typedef struct LoadChunk
{
	PgJob		job;
	Load	   *load;
	Lines		lines;
	char		first_line[8];	/* as bigint on the wire */
	int			attempts;
	bool		sent;
	bool		settled;		/* its outcome is there */
} LoadChunk;

struct Load
{
	void	   *owner;			/* NULL once it has left */
	const LoadEvents *events;
	Pool	   *pool;			/* NULL once it is not needed */
	LoadTarget	target;
	LoadChunk	chunks[LOAD_MAX_SENT + 1];
	LoadChunk  *filling;
	LoadChunk  *sent[LOAD_MAX_SENT];	/* the oldest first */
	int			sent_count;
	PgJob		start;			/* BEGIN */
	PgJob		end;			/* COMMIT or ROLLBACK, then the endpoint's end */
	uint64_t	last_settled;
};

/* Connect.  load is zeroes. */
extern void load_open(Load *load, const char *conninfo, int epoll, const LoadEvents *events, void *owner);
/* The place is taken on this connection: chunks may come. */
extern void load_start(Load *load, const LoadTarget *target);

/* The chunk that is to be filled. */
extern Lines *load_lines(const Load *load);
/* May it be sent, in which there is a line? */
extern bool load_may_send(const Load *load);
/* Send it; what has come of the next line goes to the next chunk. */
extern void load_send(Load *load);

/* All chunks have settled: end their transaction, if they are one, and call the endpoint's end. */
extern void load_end(Load *load, bool undo);

/* Close the connection; what is under way fails, a transaction ends without effect. */
extern void load_release(Load *load);
/* The owner has gone, and hears no more. */
extern void load_leave(Load *load);
extern void load_free(Load *load);

#endif							/* QEHS_LOAD_H */
