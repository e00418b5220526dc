/*
 * idempotency.h
 *	  Idempotency-Key: one effect and one answer a key (draft-ietf-httpapi-
 *	  idempotency-key-header; CONTRACT 2).
 */
#ifndef QEHS_IDEMPOTENCY_H
#define QEHS_IDEMPOTENCY_H

#include "caller/context.h"

/*
 * Claim the request's key for this transaction.  Raises QH200 with the stored
 * answer for a replay, QH422 for the same key with another request, QH409
 * while another transaction holds it.
 */
extern void idempotency_claim(const RequestContext *context);

/* Store the answer in the same transaction as its effect. */
extern void idempotency_store(const RequestContext *context, int status);

#endif							/* QEHS_IDEMPOTENCY_H */
