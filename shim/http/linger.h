/*
 * linger.h
 *	  Connections that have been answered and closed on this side while their clients
 *	  may still send.
 *
 * Closing a socket on which bytes still come resets it, and the client may never see
 * the answer (RFC 9112 section 9.6).  So it is closed for writing only, and read until
 * the client closes its side, for some seconds at most.
 */
#ifndef QEHS_LINGER_H
#define QEHS_LINGER_H

#include <stdint.h>

#define LINGER_MOST 1024

typedef struct Linger Linger;

/* Those of one event loop, the oldest first. */
typedef struct Lingers
{
	Linger	   *first;
	Linger	   *last;
	int			count;
	int			epoll;
} Lingers;

/* Go on with a copy of a socket that is about to be closed; with LINGER_MOST of them the oldest ends. */
extern void linger_start(Lingers *lingers, int socket);
/* End those whose time is over; returns milliseconds until the next one's, or -1. */
extern int	linger_expire(Lingers *lingers);
/* End all. */
extern void linger_end(Lingers *lingers);

#endif							/* QEHS_LINGER_H */
