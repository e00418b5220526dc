/*
 * stream.h
 *	  A request whose body is lines that go to the database in chunks while it
 *	  still arrives: POST …/bulk.
 *
 * Each stream has a connection to PostgreSQL of its own, since the place that it
 * holds there (qehs.bulk_begin) and an atomic load's transaction belong to a
 * session.  server.c brings the body and takes the answer: when the body has ended,
 * or before (early.h).
 */
#ifndef QEHS_STREAM_H
#define QEHS_STREAM_H

#include "exchange/exchange.h"
#include "stream/answer.h"

typedef struct Stream Stream;

/* The streams of one event loop. */
struct Streams
{
	Stream	   *first;
	int			count;
	int			epoll;
};

/* Open a connection for the request; NULL when the loop has as many streams as it may. */
extern Stream *stream_open(Exchange *exchange, Request *request);
extern Pool *stream_pool(Stream *stream);

/*
 * qehs.bulk_begin has succeeded: from now on lines are taken.  begin is the
 * statement that each chunk starts with; changed is called when stream_read or
 * stream_blocked or stream_urgent would answer otherwise than before.
 */
extern void stream_start(Stream *stream, const PgStatement *begin, void (*changed) (Request *request));

/* Take a part of the body; gives how many bytes, which may be none while the stream is blocked. */
extern size_t stream_take(Stream *stream, const char *bytes, size_t length);
/* Must the body wait for the database? */
extern bool stream_blocked(const Stream *stream);
/* Has the stream failed so long ago that the rest of the body is not worth reading? */
extern bool stream_hopeless(const Stream *stream);
/* The body has ended. */
extern void stream_finish(Stream *stream);

/* Has a part of the answer waited for so long that it is to be sent while the body arrives? */
extern bool stream_urgent(const Stream *stream);
/* The next bytes of the answer. */
extern AnswerPart stream_read(Stream *stream, char *buffer, size_t room, size_t *length);

/* The request ends, with or without its answer sent.  Its memory is not touched from now on. */
extern void stream_close(Stream *stream);

/* What is due: connections, chunks that wait for more lines.  Gives milliseconds until the next time, or -1. */
extern int	streams_tick(Streams *streams);
/* Fail all streams, as the loop ends. */
extern void streams_end(Streams *streams);

#endif							/* QEHS_STREAM_H */
