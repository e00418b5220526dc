/*
 * arguments.h
 *	  From the path, query, headers and body of a request to the arguments of its
 *	  endpoint's function.
 */
#ifndef QEHS_ARGUMENTS_H
#define QEHS_ARGUMENTS_H

#include "exchange/request.h"

/*
 * Fill the statement with the endpoint's arguments.  What is wrong goes to the
 * request's violations and refusal, all of it, not just the first.
 */
extern void arguments_read(Request *request, PgStatement *statement);

#endif							/* QEHS_ARGUMENTS_H */
