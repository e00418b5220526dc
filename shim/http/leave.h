/*
 * leave.h
 *	  Clients that leave while their requests wait for the database.
 *
 * The library does not look at a suspended connection, so it is looked at here now
 * and then.  A client that has closed its side is taken to have left once its request
 * has waited for a while; what only reads is given up then.
 */
#ifndef QEHS_LEAVE_H
#define QEHS_LEAVE_H

#include "http/state.h"

/* The request waits from now on, and no longer. */
extern void leave_watch(Request *request);
extern void leave_forget(Request *request);
/* Give up those whose clients have left; returns milliseconds until the next look, or -1. */
extern int	leave_look(Server *server);

#endif							/* QEHS_LEAVE_H */
