/*
 * streams.h
 *	  The streams of one event loop: made, driven by time, freed.
 */
#ifndef QEHS_STREAMS_H
#define QEHS_STREAMS_H

#include "exchange/exchange.h"

#define STREAMS_MOST 32

/* A stream in the list of its loop. */
typedef struct StreamItem
{
	Stream		stream;			/* first, so that one is the other */
	struct StreamItem *next;
	/* Do what is due; returns milliseconds until the next time, or -1. */
	int			(*tick) (struct StreamItem *item);
	/* The loop ends: what is under way fails. */
	void		(*end) (struct StreamItem *item);
	void		(*free) (struct StreamItem *item);
	bool		closed;			/* its request has gone */
} StreamItem;

struct Streams
{
	StreamItem *first;
	int			count;
};

/*
 * Make the stream that the request's endpoint asks for, with a connection of its
 * own; NULL when the loop has as many as it may (STREAMS_MOST).  The StreamMaker of
 * the exchange.
 */
extern Stream *streams_make(Exchange *exchange, Request *request);

/* What is due of all of them; returns milliseconds until the next time, or -1. */
extern int	streams_tick(Streams *streams);
/* Fail all streams, as the loop ends. */
extern void streams_end(Streams *streams);

#endif							/* QEHS_STREAMS_H */
