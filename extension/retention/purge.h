/*
 * purge.h
 *	  Purging: a deleted record goes for good.
 *
 * Its row, comments, links, approvals, attachments, what waits in the outbox and the values of its audit events
 * go; their digests stay, so that chains and seals hold, and a tombstone says what was there, who purged it, when and why.
 * What other records have named it by stays in them, as an id that is of no record.
 */
#ifndef QEHS_PURGE_H
#define QEHS_PURGE_H

#include "change/change.h"

/*
 * Purge a deleted record, whose row the caller has locked behind hold_lock and change_hold_referrers, and which
 * neither a hold nor a live record keeps.  Inside SPI.
 */
extern void purge_record(const RequestContext *context, const ModuleDef *module, const Record *record, const char *reason);

#endif							/* QEHS_PURGE_H */
