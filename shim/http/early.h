/*
 * early.h
 *	  An answer that is sent while the body of its request still arrives.
 *
 * It is written to the connection's socket beside the HTTP library, never more
 * than the socket takes; what the client does not read stays in the stream.
 */
#ifndef QEHS_EARLY_H
#define QEHS_EARLY_H

#include "exchange/request.h"

typedef struct Early Early;

typedef enum EarlyState
{
	EARLY_WAITING,				/* for the stream */
	EARLY_FULL,					/* the client is to read on */
	EARLY_DONE,					/* all is written: the connection is to be closed */
	EARLY_FAILED				/* the client has gone, or the answer could not be kept */
} EarlyState;

/*
 * May the request be answered before it has ended?  Not in HTTP/1.0, and unless
 * the configuration says so not through a proxy, as some (nginx) stop sending the
 * body when the answer begins.  Proxies are told by their header fields; one that
 * adds none closes its connections, as nginx does unless told otherwise.
 */
extern bool early_possible(const Request *request, EarlyAnswers answers);

/*
 * Begin: the head of the reply, then its body or what the stream has.  written is called when
 * more could be written later than early_write was called; the descriptor epoll is
 * that of the loop.
 */
extern Early *early_start(Request *request, int socket, int epoll, void (*written) (Request *request));

/* Write what there is, as far as it goes. */
extern EarlyState early_write(Early *early);

/* Before the socket is closed.  NULL is fine. */
extern void early_free(Early *early);

#endif							/* QEHS_EARLY_H */
