/*
 * repeat.h
 *	  Which requests may run more than once, and when one does.
 */
#ifndef QEHS_REPEAT_H
#define QEHS_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/request.h"

/*
 * Does it change nothing, so that it may run twice, and end unseen?  So it is of a GraphQL query that is posted, too: who asks
 * for a mutation writes the word (GraphQL section 2.3), unless escapes spell it or the document is known by its hash.
 */
extern bool repeat_is_harmless(const Request *request);

/*
 * Nanoseconds after which a failed job is to run again; 0 when its answer stands.
 * A deadlock or serialization failure has had no effect, and running the request
 * again is what its sender would do; so is waiting for a twin, when it says so
 * (Prefer: wait, RFC 7240 section 4.3).
 */
extern uint64_t repeat_delay(Request *request);

#endif							/* QEHS_REPEAT_H */
