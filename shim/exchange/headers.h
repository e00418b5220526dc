/*
 * headers.h
 *	  What the fields of a request say.
 */
#ifndef QEHS_HEADERS_H
#define QEHS_HEADERS_H

#include "exchange/request.h"

/* The bearer token of Authorization: NULL without the field, "" when it holds none (RFC 6750 section 2.1). */
extern const char *headers_bearer(const Request *request);

/* Is the method one that may change something? */
extern bool headers_change_things(const Request *request);

/*
 * The Idempotency-Key of a request that changes something, or NULL; one that is not
 * 1 to 255 printable ASCII characters is refused.
 */
extern const char *headers_idempotency_key(Request *request);

/* Refuse what the endpoint cannot take or answer: conditions, Accept, Content-Type, Content-Encoding. */
extern void headers_check(Request *request);

/* Does the request prefer to be answered before it is done (RFC 7240 section 4.1)? */
extern bool headers_prefer_async(const Request *request);

#endif							/* QEHS_HEADERS_H */
