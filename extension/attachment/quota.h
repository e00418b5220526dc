/*
 * quota.h
 *	  How much a tenant may have in the object store, and has.
 *
 * Attachments count with the size that is stored, or was announced; so do bodies that
 * wait for a job to load them.
 */
#ifndef QEHS_QUOTA_H
#define QEHS_QUOTA_H

#include "utils/uuid.h"

/*
 * Bytes that a tenant may store still, at least 0, without what an attachment (NULL: none) takes; -1: any number.
 * Inside SPI.  Until the transaction ends nobody else is told of a tenant with a quota, so that what is stored then counts.
 */
extern int64 quota_left(int32 tenant_id, const pg_uuid_t *without);

/* Raise QH507 unless size bytes more, at least one, may be stored. */
extern void quota_require(int32 tenant_id, int64 size);

#endif							/* QEHS_QUOTA_H */
