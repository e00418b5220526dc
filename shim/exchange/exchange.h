/*
 * exchange.h
 *	  What the shim does with a request: from the whole request to its reply.
 */
#ifndef QEHS_EXCHANGE_H
#define QEHS_EXCHANGE_H

#include "db/pool.h"
#include "exchange/request.h"
#include "exchange/stream.h"

typedef struct Streams Streams;
typedef struct Tasks Tasks;
typedef struct Exchange Exchange;

/* What an exchange needs of its event loop, and of the folders above. */
struct Exchange
{
	Pool	   *pool;
	Streams    *streams;
	Tasks	   *tasks;			/* work that blocks */
	int			epoll;			/* of the event loop */
	Router	   *router;			/* NULL until the first is loaded */
	const Config *config;
	bool		stopping;
	bool		ended;			/* nothing waits any more */
	/* Make the reply of a page of the shim's own; false when the path is none. */
	bool		(*page) (Request *request);
	/* Make the stream of a request whose endpoint has one; NULL: there are as many as there may be. */
	Stream	   *(*make_stream) (Exchange *exchange, Request *request);
	/* The same of a request whose answer is lines of which the reply has the first. */
	Stream	   *(*make_lines) (Exchange *exchange, Request *request);
};

/* Set trace id and path; before anything else. */
extern void exchange_identify(Request *request);

/* Find the endpoint, if there is one; after exchange_identify.  request->streams says whether the body is for its stream. */
extern void exchange_route(const Exchange *exchange, Request *request);

/*
 * Answer or hand over to the database.  When request->waiting is true afterwards,
 * finished is called once the reply is there; else it is there already.  While
 * request->stream is there its parts are to be used as stream.h says, and finished
 * is called again whenever it can go on.
 */
extern void exchange_start(Exchange *exchange, Request *request, void (*finished) (Request *request));

/*
 * A body that was kept has come: call the endpoint's function, or that of its asynchronous form, with the arguments, in the order of its parameters, and
 * answer with what it gives.  finished is called when the reply is there.
 */
extern void exchange_conclude(Exchange *exchange, Request *request, const PgStatement *arguments, void (*finished) (Request *request));

/* What an answer of qehs.request has: the status, header lines, and the body; false when it has not that form. */
extern bool exchange_split(const char *answer, size_t length, const char **lines, size_t *lines_length, const char **body);

/* Complete a reply that was made without the exchange, with the headers that all have. */
extern void exchange_finish(const Exchange *exchange, Request *request);

/* The client of a request that waits has left: what only reads is cancelled, and finished soon, perhaps at once. */
extern void exchange_abandon(Exchange *exchange, Request *request);

#endif							/* QEHS_EXCHANGE_H */
