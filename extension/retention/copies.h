/*
 * copies.h
 *	  What is kept of a record or a user beside its rows: answers for retries, and files of exports.
 */
#ifndef QEHS_COPIES_H
#define QEHS_COPIES_H

#include "caller/context.h"

/* Answers kept for retries in which an id stands, beside others, are forgotten: a retry is refused as one with another request.  Inside SPI. */
extern void copies_forget_answers(int32 tenant_id, const pg_uuid_t *id, const char *prefix);

/*
 * The files of exports of a module (NULL: of any) are removed, which the shim does, and those that are being written are
 * cancelled.  Inside SPI.
 */
extern void copies_forget_exports(int32 tenant_id, const char *module_key);

#endif							/* QEHS_COPIES_H */
