/*
 * state.h
 *	  What the files of this folder share: the server of one event loop, its
 *	  connections, and what a request is to them.
 */
#ifndef QEHS_HTTP_STATE_H
#define QEHS_HTTP_STATE_H

#include <microhttpd.h>
#include <netinet/in.h>

#include "exchange/exchange.h"
#include "http/deadline.h"
#include "http/linger.h"

#define SPARE_REQUESTS 64
/* A refused body of at most so many bytes is read to its end, so that its sender sees the answer whatever it does. */
#define DRAIN_BYTES (16 * 1024 * 1024)

struct Server
{
	struct MHD_Daemon *daemon;
	Exchange   *exchange;
	bool		for_metrics;	/* serves the shim's own state, and no endpoint */
	Deadlines	deadlines;
	Lingers		lingers;
	Request    *waiting;		/* for the database: see leave.h */
	uint64_t	look_at;
	int			active;
	int			spare_count;
	Request    *spare[SPARE_REQUESTS];	/* with memory that the next request can use */
};

/* A client's connection. */
typedef struct Connection
{
	Watch		watch;
	Server	   *server;
	unsigned	requests;		/* that began */
	char		address[INET6_ADDRSTRLEN];	/* of the other side */
	bool		linger;			/* it is to be ended from here, though its client may still send */
} Connection;

/* The connection of a request, and the stage that its time is for (connection.c). */
extern Connection *connection_of(const Request *request);
extern void connection_stage(const Request *request, Stage stage);

/* A field that is a list: its lines are one (RFC 9110 section 5.3).  NULL: none (fields.c). */
extern const char *fields_list(Request *request, const char *name);

/* A new request of the server, and its end (memory.c). */
extern Request *memory_request(Server *server);
extern void memory_put_away(Server *server, Request *request);
extern void memory_free(Server *server);

/* Take a part of a whole body; what is too large is read on and forgotten (body.c). */
extern enum MHD_Result body_take(Request *request, const char *part, size_t length);
/* Refuse a body for its declared length before it comes.  Is it to be read all the same? */
extern void body_check_length(Request *request);
extern bool body_is_drained(const Request *request);

/* Queue the reply (respond.c). */
extern enum MHD_Result respond_send(Request *request);
/* Write the reply now, while its body still arrives; the connection ends with it. */
extern enum MHD_Result respond_early(Request *request);
/* The reply is there, or its stream can go on. */
extern void respond_ready(Request *request);
/* The connection rests until respond_ready. */
extern enum MHD_Result respond_wait(Request *request);
/* All of a stream's body has come: the answer goes the library's way, or has begun and goes on. */
extern enum MHD_Result respond_finish(Request *request);

/* A request whose body goes to its stream: its headers, then its body (upload.c). */
extern enum MHD_Result upload_head(Request *request);
extern enum MHD_Result upload_body(Request *request, const char *bytes, size_t *length);

#endif							/* QEHS_HTTP_STATE_H */
