/*
 * cors.h
 *	  Cross-origin requests of browsers (the Fetch standard), off by default.
 */
#ifndef QEHS_CORS_H
#define QEHS_CORS_H

#include "exchange/request.h"

/* Add the fields that the request's Origin calls for, if its origin is allowed. */
extern void cors_apply(Request *request, const Config *config);

#endif							/* QEHS_CORS_H */
