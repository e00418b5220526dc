/*
 * stream.h
 *	  A request whose body or answer goes by in parts: what the exchange and the
 *	  HTTP side know of it.
 *
 * A stream has a sink, a source or both: lines that are loaded have both, an upload
 * is a sink that a whole answer follows, a list that is sent row by row is a source.
 * The exchange makes it when the request may run, lets request_begin and the
 * endpoint's first function run on its pool, and starts it with their success; the
 * HTTP side then brings the body to the sink and takes the answer from the source.
 *
 * A stream belongs to its request's event loop.  What may run on when the request has
 * gone (a chunk at the database) is the stream's own: its owner frees it later.
 */
#ifndef QEHS_STREAM_H
#define QEHS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Stream Stream;
typedef struct Pool Pool;
typedef struct Request Request;

/* Where a body goes while it arrives. */
typedef struct Sink
{
	/* Take a part of the body; returns how many bytes it took, which may be none while it is blocked. */
	size_t		(*take) (Stream *stream, const char *bytes, size_t length);
	/* Must the body wait? */
	bool		(*blocked) (const Stream *stream);
	/* Is what follows of the body of no use any more? */
	bool		(*spent) (const Stream *stream);
	/* The body has ended.  Without a source, request->waiting is true afterwards until the reply is there. */
	void		(*finish) (Stream *stream);
} Sink;

typedef enum StreamPart
{
	STREAM_BYTES, STREAM_WAIT, STREAM_END,
	STREAM_BROKEN				/* the rest of the answer is lost: the connection must end without its last chunk */
} StreamPart;

/* Where an answer comes from bit by bit. */
typedef struct Source
{
	/* The next bytes, at most room of them. */
	StreamPart	(*read) (Stream *stream, char *buffer, size_t room, size_t *length);
	/* Has a part waited for so long that it is to be sent though the body still arrives?  NULL: never. */
	bool		(*urgent) (const Stream *stream);
} Source;

struct Stream
{
	const Sink *sink;			/* NULL: the request has no body that streams */
	const Source *source;		/* NULL: the answer is whole */
	Pool	   *pool;			/* of the request's first statements */
	/* They have succeeded.  changed is called when a function above would answer otherwise than before. */
	void		(*start) (Stream *stream, void (*changed) (Request *request));
	/* The request ends, with or without its answer sent.  Its memory is not touched from now on. */
	void		(*close) (Stream *stream);
};

#endif							/* QEHS_STREAM_H */
