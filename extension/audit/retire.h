/*
 * retire.h
 *	  Audit events that go: those of a record that is purged, and of a tenant that is removed; and values in them that are erased.
 */
#ifndef QEHS_RETIRE_H
#define QEHS_RETIRE_H

#include "base/sha256.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* What was left of the events of a record when they went. */
typedef struct RetiredEvents
{
	pg_uuid_t	last;			/* the event that stays: it says that the others are gone */
	int64		count;			/* of those that are gone */
	uint8		head[QEHS_SHA256_LENGTH];	/* digest of the last of them */
} RetiredEvents;

/*
 * Take away all events of a record but the newest, which says why, and keep their digests in
 * qehs.audit_tombstone, so that chains and seals hold.  The caller holds the record's row.  Inside SPI.
 */
extern void retire_events(int32 tenant_id, const pg_uuid_t *record_id, TimestampTz time, RetiredEvents *retired);

/*
 * Write an event whose values are erased, from all its columns: of those only the ones that hold values, salt and
 * erased change.  Inside SPI.
 */
extern void retire_values(const Datum *values, const bool *nulls);

/* Run a statement with the tenant as $1 that may take rows away from the tables that are else only ever added to.  Inside SPI. */
extern void retire_run(const char *sql, int32 tenant_id);

#endif							/* QEHS_RETIRE_H */
