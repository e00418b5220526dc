/*
 * sign.h
 *	  URLs of S3 that the extension signs (qehs.storage_sign), for threads that may wait.
 */
#ifndef QEHS_SIGN_H
#define QEHS_SIGN_H

#include <stdbool.h>

#include "base/arena.h"
#include "db/session.h"
#include "storage/storage.h"

/*
 * A URL for a method on an object, in the arena; of PUT facts (else NULL) are what it has to have.  *url is NULL for the
 * embedded store, which needs none.  False when the database refuses, or is away: session_problem says why.
 */
extern bool sign_url(Session *session, const char *method, const StorageName *name, const StorageFacts *facts, Arena *arena, const char **url);

/* The SHA-256 of an object in 64 hexadecimal digits, in the arena. */
extern const char *sign_sha256(const StorageFacts *facts, Arena *arena);

#endif							/* QEHS_SIGN_H */
