/*
 * failure.h
 *	  Events of what failed, kept though the request that failed is undone.
 */
#ifndef QEHS_FAILURE_H
#define QEHS_FAILURE_H

#include "caller/context.h"

/*
 * Count a wrong credential of the caller's signature on a record, and write its audit event, in a transaction of its own: a
 * background worker does it, and it has been committed when this returns.  Where no worker can be had, the server's log has a
 * warning instead (max_worker_processes).
 */
extern void failure_note(const RequestContext *context, int32 module_id, const pg_uuid_t *record_id);

#endif							/* QEHS_FAILURE_H */
