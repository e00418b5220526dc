/*
 * ratelimit.h
 *	  Sliding-window counters in shared memory.
 */
#ifndef QEHS_RATELIMIT_H
#define QEHS_RATELIMIT_H

#include "utils/uuid.h"

typedef struct RateVerdict
{
	bool		allowed;
	int32		limit;			/* requests a minute */
	int32		remaining;
	int64		reset;			/* epoch seconds when the current bucket ends */
	int32		wait;			/* seconds from now until reset or, refused, until a retry may pass */
} RateVerdict;

/* Count one request of a key; limit is requests a minute, above 0. */
extern void ratelimit_count(const pg_uuid_t *key_id, int32 limit, RateVerdict *verdict);

extern Size ratelimit_shmem_size(void);
extern void ratelimit_shmem_startup(void);

#endif							/* QEHS_RATELIMIT_H */
