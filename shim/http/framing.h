/*
 * framing.h
 *	  Is the head of a request one that every HTTP parser reads the same way?
 */
#ifndef QEHS_FRAMING_H
#define QEHS_FRAMING_H

#include "exchange/request.h"

/*
 * Refuse what request smuggling lives on (RFC 9112 sections 3 and 6): ambiguous
 * lengths, names that are no tokens, targets and hosts that are none, fields twice
 * that stand once; and bodies of more than max_body bytes.  broken: the guard has
 * found bytes out of form.  After exchange_identify.
 */
extern void framing_check(Request *request, bool broken, size_t max_body);

#endif							/* QEHS_FRAMING_H */
