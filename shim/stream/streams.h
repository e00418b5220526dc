/*
 * streams.h
 *	  The streams of one event loop: made, driven by time, freed.
 */
#ifndef QEHS_STREAMS_H
#define QEHS_STREAMS_H

#include "exchange/exchange.h"

/* Streams of lines of a loop, each with a connection to PostgreSQL; and files that arrive, each with a descriptor. */
#define STREAMS_MOST 32
#define FILES_MOST 1000

/* A stream in the list of its loop. */
typedef struct StreamItem
{
	Stream		stream;			/* first, so that one is the other */
	struct StreamItem *next;
	/* Do what is due; returns milliseconds until the next time, or -1. */
	int			(*tick) (struct StreamItem *item);
	/* The loop ends: what is under way fails. */
	void		(*end) (struct StreamItem *item);
	/* May it be freed, now that its request has gone?  NULL: at once. */
	bool		(*is_free) (const struct StreamItem *item);
	void		(*free) (struct StreamItem *item);
	bool		closed;			/* its request has gone */
	bool		is_file;
} StreamItem;

struct Streams
{
	StreamItem *first;
	int			count;			/* of lines */
	int			file_count;
};

/*
 * Make the stream that the request's endpoint asks for; NULL when the loop has as many as it may.
 * Both are for the exchange, which makes none by itself.
 */
extern Stream *streams_make(Exchange *exchange, Request *request);

/* The same for an answer of lines of which the reply has the first. */
extern Stream *streams_follow(Exchange *exchange, Request *request);

/* What is due of all of them; returns milliseconds until the next time, or -1. */
extern int	streams_tick(Streams *streams);
/* Fail all streams, as the loop ends. */
extern void streams_end(Streams *streams);

#endif							/* QEHS_STREAMS_H */
