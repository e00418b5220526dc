/*
 * arguments.h
 *	  From the path, query, headers and body of a request to the arguments of its
 *	  endpoint's function.
 */
#ifndef QEHS_ARGUMENTS_H
#define QEHS_ARGUMENTS_H

#include "exchange/request.h"

/*
 * Fill the statement with the values of the endpoint's parameters, in their order.  What is wrong goes to the
 * request's violations and refusal, all of it, not just the first.
 */
extern void arguments_read(Request *request, PgStatement *statement);

/* Make statement a call with those of all arguments, in the order of the endpoint's parameters, that its function takes. */
extern void arguments_pick(const Call *call, const PgStatement *all, PgStatement *statement);

#endif							/* QEHS_ARGUMENTS_H */
