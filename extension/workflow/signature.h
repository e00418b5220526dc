/*
 * signature.h
 *	  Electronic signatures (21 CFR Part 11, 11.50 to 11.300): a person says with a
 *	  second secret of his own that he means what he does.
 *
 * The secret is kept as a hash of libxcrypt's yescrypt, slow by intention.  What is
 * wrong is counted and audited in a transaction of its own, so that it stays when
 * the request fails; after 5 within 15 minutes the secret does not count until 15
 * minutes have passed since the last.
 */
#ifndef QEHS_SIGNATURE_H
#define QEHS_SIGNATURE_H

#include "record/record.h"

#define QEHS_SIGNATURE_TRIES 5
#define QEHS_SIGNATURE_PAUSE_MINUTES 15
/* Characters of a secret. */
#define QEHS_SIGNATURE_MIN 8
#define QEHS_SIGNATURE_MAX 200

/* SHA-256 of payload::text, which is one for one value: sha256(convert_to(payload::text, 'UTF8')) in SQL. */
extern void signature_digest(Jsonb *payload, uint8 digest[32]);

/*
 * What a client sent as signature, {"meaning","credential"}: adds every fault of its form and, where the definition
 * lists meanings, a meaning that is none of them.
 */
extern void signature_check_form(Jsonb *sent, const ModuleRoles *meanings, ViolationList *faults);

/*
 * Check the credential of a signature whose form holds, and give what is kept of it: {"meaning","signedBy":{"id","displayName"},"at",
 * "version","payloadHash"}.  Raises QH403 forbidden for a caller who is no person or has no secret, or for a wrong one, QH429 rate_limited
 * after too many.  Inside SPI.
 */
extern Jsonb *signature_make(const RequestContext *context, const Record *record, Jsonb *payload, int32 version, Jsonb *sent);

/*
 * Raise, as for a signature, unless the caller has no secret yet (whatever current is) or current is his; failures are noted without a record.
 * Inside SPI.
 */
extern void signature_require_current(const RequestContext *context, const char *current);

#endif							/* QEHS_SIGNATURE_H */
