/*
 * digest_fields.h
 *	  Header fields that say what the bytes of a body have to digest to: Content-Digest
 *	  and Repr-Digest (RFC 9530), Content-MD5 (RFC 1864), and of clients of S3
 *	  x-amz-checksum-sha256, x-amz-checksum-sha1 and x-amz-content-sha256.
 */
#ifndef QEHS_DIGEST_FIELDS_H
#define QEHS_DIGEST_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "exchange/request.h"

typedef struct DigestFields DigestFields;

/*
 * Read the fields of a request; freed with digest_fields_free, and of no use without the request but for that.  NULL when there is none.  A field that
 * cannot be checked, as it is malformed or names no algorithm that is known here, is noted as a violation, and *checkable is false.
 */
extern DigestFields *digest_fields_read(Request *request, bool *checkable);
/* Take the next bytes of the body; fields may be NULL, as in the next two. */
extern void digest_fields_take(DigestFields *fields, const void *bytes, size_t length);
/* All of the body has come: note each field that does not fit it as a violation; true when all do.  Once. */
extern bool digest_fields_fit(DigestFields *fields, Request *request);
extern void digest_fields_free(DigestFields *fields);

#endif							/* QEHS_DIGEST_FIELDS_H */
