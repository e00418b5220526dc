/*
 * seal.h
 *	  Seals: roots of Merkle trees over the audit events of a tenant, chained to each other.
 *
 * The digest of a seal is SHA-256 over "qehs audit seal 1\n", its number in eight
 * bytes, upto (16), the number of events (4), sealed_at in microseconds since
 * 2000-01-01 UTC (8), the root (32) and the digest of the seal before (32, zeros for
 * the first); numbers are big-endian.
 */
#ifndef QEHS_AUDIT_SEAL_H
#define QEHS_AUDIT_SEAL_H

#include "audit/merkle.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* The most events of a seal, so that a proof reads no more. */
#define QEHS_SEAL_EVENTS 65536

/* A row of qehs.audit_seal. */
typedef struct Seal
{
	int64		number;
	pg_uuid_t	after;			/* upto of the seal before; zeros for the first */
	pg_uuid_t	upto;
	int32		count;
	TimestampTz sealed_at;
	MerkleHash	root;
	MerkleHash	previous;		/* zeros for the first */
	MerkleHash	digest;
} Seal;

/* The columns that seal_read reads, in its order. */
#define QEHS_SEAL_COLUMNS "seal_no, upto, event_count, sealed_at, root, previous, digest"

/* A seal from a row of SPI_tuptable; after is left as zeros. */
extern void seal_read(uint64 row, Seal *seal);

/* What the digest of the seal has to be. */
extern MerkleHash seal_digest(const Seal *seal);

/*
 * The leaves of the events, and of those that are purged, with ids behind after and up to upto (or, below, before it), the first
 * QEHS_SEAL_EVENTS of them, in the current memory context; sets their number, the last id and, unless event is NULL, the place of
 * that event (-1: it is not there).  Inside SPI.
 */
extern MerkleHash *seal_leaves(int32 tenant_id, const pg_uuid_t *after, const pg_uuid_t *upto, bool below, const pg_uuid_t *event,
							   int *count, pg_uuid_t *last, int *place);

#endif							/* QEHS_AUDIT_SEAL_H */
