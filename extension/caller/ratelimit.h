/*
 * ratelimit.h
 *	  Sliding-window counters in shared memory.
 */
#ifndef QEHS_RATELIMIT_H
#define QEHS_RATELIMIT_H

#include "utils/uuid.h"

/* What is counted apart for one caller. */
typedef enum RateClass
{
	RATE_DEFAULT, RATE_SIGNED_URLS, RATE_TENANT, RATE_ADDRESS, RATE_CLASS_COUNT
} RateClass;

typedef struct RateVerdict
{
	bool		allowed;
	int32		limit;			/* requests a minute */
	int32		remaining;
	int64		reset;			/* epoch seconds when the current bucket ends */
	int32		wait;			/* seconds from now until reset or, refused, until a retry may pass */
} RateVerdict;

/*
 * Count weight requests of a caller unless they are over the limit, which is
 * requests a minute, above 0.  Weight 0 only looks.
 */
extern void ratelimit_count(const pg_uuid_t *caller, RateClass class, int32 limit, int32 weight, RateVerdict *verdict);

extern Size ratelimit_shmem_size(void);
extern void ratelimit_shmem_startup(void);

#endif							/* QEHS_RATELIMIT_H */
