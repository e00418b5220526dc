/*
 * request.h
 *	  One HTTP request on its way through the shim, and its answer.
 *
 * server.c makes it and sends its reply; exchange.c decides what the reply is.
 * A request belongs to one event loop and is touched by no other thread.
 */
#ifndef QEHS_REQUEST_H
#define QEHS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/config.h"
#include "db/job.h"
#include "exchange/router.h"
#include "exchange/stream.h"

#define TRACE_ID_LENGTH 32
#define REPLY_MAX_HEADERS 48
#define MAX_VIOLATIONS 100

struct MHD_Connection;
typedef struct Server Server;

typedef struct Header
{
	const char *name;
	const char *value;
} Header;

typedef struct Reply
{
	int			status;
	bool		close;			/* end the connection after it */
	int			header_count;
	Header		headers[REPLY_MAX_HEADERS];
	const char *body;			/* lives as long as the request */
	int			file;			/* above 0: a descriptor that is the body, from offset on, and is the reply's to close */
	int64_t		offset;
	size_t		length;
} Reply;

/* What is wrong with a request, before the database has seen it. */
typedef struct Violations
{
	int			count;
	Buffer		list;			/* JSON objects, comma-separated */
} Violations;

typedef struct Refusal
{
	const char *code;			/* a code of the problem table; NULL when there is none */
	const char *detail;
	int			status;			/* 0: that of the code */
} Refusal;

struct Request
{
	Arena		arena;
	Server	   *server;
	struct MHD_Connection *connection;
	Router	   *router;			/* reference held; NULL while none is loaded */

	const char *method;
	const char *sent_target;	/* as on the request line */
	const char *target;			/* the same, without scheme and host */
	const char *path;			/* decoded */
	const char *query;			/* as sent, without the question mark; may be empty */
	char		client[64];		/* address */
	char		trace_id[TRACE_ID_LENGTH + 1];
	char		span_id[17];
	char		parent_id[17];	/* span of the caller; empty when it has none */
	const char *traceparent;	/* of the answer, once it is asked for */
	const char *tracestate;		/* that came with a valid traceparent, or NULL */
	bool		sampled;
	/* one byte in front of the body stays free: see arguments.c */
	char	   *buffer;
	size_t		body_length;
	size_t		body_capacity;

	const char *public_url;		/* where clients see the server */
	const Endpoint *endpoint;
	const char *allow;			/* without one: the methods of the path; NULL: there is nothing at it */
	const char *media;			/* type of the answer that Accept prefers of those that the endpoint gives */
	const char *path_values[ROUTER_MAX_PARAMETERS];
	Refusal		refusal;
	Violations	violations;
	Reply		reply;

	PgJob		job;
	bool		waiting;		/* for the database */
	bool		suspended;		/* server.c has put its connection aside */
	bool		left;			/* its client has, while it waited */
	struct Request *wait_next;	/* among those that wait (http/leave.c) */
	struct Request **wait_link;
	uint64_t	started;		/* monotonic nanoseconds */
	uint64_t	database_time;	/* nanoseconds from hand-over to outcome */
	const char *error;			/* for the log: what went wrong inside */
	const char *tenant;			/* for the log, as the next */
	const char *key_id;
	int			attempts;		/* at the database */
	bool		moved;			/* some attempt went to another connection: what it left behind may run, too */
	bool		streams;		/* its endpoint takes the body as it arrives */
	bool		async;			/* which is kept for a job (Prefer: respond-async) */
	const unsigned char *digest;	/* SHA-256 of such a body, once it has come */
	bool		head_done;		/* of such one: its body may come */
	const char *next_part;		/* of an answer of lines: the cursor of what follows, or NULL */
	Stream	   *stream;			/* NULL unless its body or answer goes by in parts */
	bool		full_http;		/* 1.1, not 1.0 */
	bool		for_metrics;	/* came by the listener that serves the shim's own state alone */
	int64_t		lines;			/* of a stream: answered */
	int64_t		failed_lines;
	bool		body_done;		/* of a stream: all of it has come */
	bool		cut;			/* a stream's client has closed its side; what it has sent is taken */
	bool		given_up;		/* the answer is written though the body goes on, and the connection ends with it */
	int			lines_known;	/* may a field stand on several lines?  0: not known yet, 1: no, 2: yes */
	struct Early *early;		/* its answer has begun before that */
	bool		keyed;			/* sent with an idempotency key */
};

#define REQUEST_BODY(request) ((request)->buffer + 1)

/* A header field of the request, or NULL; one on several lines is their values with commas between (http/fields.c). */
extern const char *request_header(const Request *request, const char *name);

static inline void
reply_header(Reply *reply, const char *name, const char *value)
{
	if (reply->header_count < REPLY_MAX_HEADERS)
		reply->headers[reply->header_count++] = (Header) {name, value};
}

static inline void
request_refuse(Request *request, const char *code, const char *detail)
{
	if (request->refusal.code == NULL)
		request->refusal = (Refusal) {code, detail, 0};
}

/* Refuse at once, whatever its body is, and close the connection afterwards. */
static inline void
request_refuse_now(Request *request, const char *code, int status, const char *detail)
{
	if (request->refusal.status == 0)
		request->refusal = (Refusal) {code, detail, status};
	request->reply.close = true;
}

#endif							/* QEHS_REQUEST_H */
