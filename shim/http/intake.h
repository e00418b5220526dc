/*
 * intake.h
 *	  What the HTTP library reads of a connection: whole heads that have been checked,
 *	  and the bodies behind them.
 *
 * The library is lenient where HTTP parsers differ, and answers by itself what it
 * refuses, each version in its own way.  So it is given nothing to refuse: a head is
 * held back until it is complete and read (head.h), and one with a fault is replaced
 * by one without, whose request then learns of the fault.
 *
 * A socket belongs to one event loop; its intake is touched by that thread only.
 */
#ifndef QEHS_INTAKE_H
#define QEHS_INTAKE_H

#include "http/head.h"

/*
 * What is received from a socket from now on goes through its intake, until the next
 * intake_open of the same number or intake_close.  began is called when a head has
 * begun to arrive and is not complete; it may be NULL.
 */
extern void intake_open(int socket, void (*began) (void *closure), void *closure);
/* Free what it holds; before the socket is closed. */
extern void intake_close(int socket);

/* The fault of a connection's request by its number, the first being 1: of its head, of its body's chunks; NULL: none. */
extern const HeadFault *intake_head_fault(int socket, unsigned number);
extern const HeadFault *intake_body_fault(int socket, unsigned number);

#endif							/* QEHS_INTAKE_H */
