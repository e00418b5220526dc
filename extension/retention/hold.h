/*
 * hold.h
 *	  Legal holds: what is held is neither deleted nor purged nor erased, by whichever
 *	  door, until the hold is released.
 *
 * A hold is of records, of all records of a module or of all of the tenant, those to
 * come too.  Who deletes holds the tenant's lock, shared, before any other lock and
 * until the transaction ends; who places a hold has it alone for a moment, so nothing
 * that it is over goes after it is there.
 */
#ifndef QEHS_HOLD_H
#define QEHS_HOLD_H

#include "record/record.h"

/* Take the tenant's lock until the transaction ends: to place a hold, alone; else shared. */
extern void hold_lock(int32 tenant_id, bool alone);

/* Whether a hold that is not released covers the record; behind hold_lock.  Inside SPI. */
extern bool hold_covers(int32 tenant_id, int32 module_id, const pg_uuid_t *record_id);

/* Raise QH409 conflict when one does: the record cannot be verb ("deleted"). */
extern void hold_require_none(int32 tenant_id, int32 module_id, const pg_uuid_t *record_id, const char *verb);

/*
 * Append ,"legalHolds":[{"id","reason","createdAt"}], those that cover the record, for a caller who may place holds on it; nothing
 * where there is none, and for others.  Inside SPI.
 */
extern void hold_write(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record);

#endif							/* QEHS_HOLD_H */
