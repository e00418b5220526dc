/*
 * throttle.h
 *	  Which limit applies to a request, and the header fields that tell.
 */
#ifndef QEHS_THROTTLE_H
#define QEHS_THROTTLE_H

#include "caller/auth.h"
#include "caller/ratelimit.h"
#include "lib/stringinfo.h"

/*
 * Count a request of a key against its limit, that of its tenant, and for class
 * RATE_SIGNED_URLS that one too.  Appends header lines; raises QH429.
 */
extern void throttle_key(const KeyGrant *grant, RateClass class, StringInfo headers);

/*
 * Count a request without a valid key against its address (NULL: not over
 * HTTP, nothing is counted), an IPv6 one against its network of 64 bits.  A failed
 * key weighs double.  Raises QH429.
 */
extern void throttle_address(const char *address, bool failed, StringInfo headers);

/* Header lines as the object {"headers":{…}} of a problem's detail. */
extern char *throttle_headers_json(const char *lines);

extern void throttle_init(void);

#endif							/* QEHS_THROTTLE_H */
