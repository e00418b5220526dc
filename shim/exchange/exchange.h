/*
 * exchange.h
 *	  What the shim does with a request: from the whole request to its reply.
 */
#ifndef QEHS_EXCHANGE_H
#define QEHS_EXCHANGE_H

#include "db/pool.h"
#include "exchange/request.h"

typedef struct Streams Streams;

/* What an exchange needs of its event loop. */
typedef struct Exchange
{
	Pool	   *pool;
	Streams    *streams;
	Router	   *router;			/* NULL until the first is loaded */
	const Config *config;
	bool		stopping;
	bool		ended;			/* nothing waits any more */
} Exchange;

/* Set trace id and path; before anything else. */
extern void exchange_identify(Request *request);

/* Is the body of the request to be given to its stream?  After exchange_identify. */
extern bool exchange_streams(Exchange *exchange, Request *request);

/*
 * Answer or hand over to the database.  When request->waiting is true afterwards,
 * finished is called once the reply is there; else it is there already.  A reply
 * 200 of a request that streams has no body: its stream is open and calls finished
 * again whenever it can go on.
 */
extern void exchange_start(Exchange *exchange, Request *request, void (*finished) (Request *request));

#endif							/* QEHS_EXCHANGE_H */
