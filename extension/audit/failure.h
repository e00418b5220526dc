/*
 * failure.h
 *	  Events of what failed, kept though the request that failed is undone.
 */
#ifndef QEHS_FAILURE_H
#define QEHS_FAILURE_H

#include "caller/context.h"

/*
 * Count a wrong credential of the caller's signature on a record, or on NULL, and write its audit event, in a transaction of its
 * own: a background worker does it, and it has been committed when this returns.  The event is one of the user, not of the record,
 * whose row the caller's transaction may hold.  Where no worker can be had, or it had to wait for a lock too long, the server's
 * log says so instead (max_worker_processes).
 */
extern void failure_note(const RequestContext *context, const pg_uuid_t *record_id);

#endif							/* QEHS_FAILURE_H */
